"""Runs other tools on annotated texts, both ways; writes annotations/tools and annotations/schemes.json.

    pip install -r tests/reference/annotations.txt
    python tests/reference/annotations.py [DOCCANO_WHEEL]

annotations/documents.jsonl holds the truth: texts and spans in code points. annotations/written holds what mner makes of them,
    mner convert --from mner --to FORMAT tests/reference/annotations/documents.jsonl ...
which the Rust tests compare byte for byte. This script has each tool read those files and stops where a tool understands
something else, and it has each tool write the same documents into annotations/tools, which the Rust tests read.

doccano's wheel (`pip download --no-deps doccano==1.8.4`) is not installed; its own front end's code is taken out of it and run by
Node to say which offsets it would send. Prodigy is not public: its records are made of spaCy's tokens as it documents them.
"""

import json
import random
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent / "annotations"
WRITTEN = HERE / "written"
TOOLS = HERE / "tools"
DOCUMENTS = [json.loads(line) for line in (HERE / "documents.jsonl").read_text().splitlines()]


def truth(document):
    """Spans as (start, end, type) in code points."""
    return [(*entity["chars"], entity["type"]) for entity in document["entities"]]


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}:\n  found    {found}\n  expected {expected}")


def save(name, text):
    path = TOOLS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def lines(records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def pipeline():
    """spaCy's English, the sign before a user name as a token of its own: it keeps no span that cuts a token."""
    import spacy

    nlp = spacy.blank("en")
    nlp.tokenizer.prefix_search = spacy.util.compile_prefix_regex([*nlp.Defaults.prefixes, "@"]).search
    return nlp


def spacy_and_prodigy():
    from spacy.training import Example

    nlp = pipeline()
    pairs = json.loads((WRITTEN / "spacy.json").read_text())
    for document, (text, annotations) in zip(DOCUMENTS, pairs, strict=True):
        reference = Example.from_dict(nlp.make_doc(text), annotations).reference
        found = [(e.start_char, e.end_char, e.label_) for e in reference.ents]
        same("spaCy reads", (text, found), (document["text"], truth(document)))
    tuples, records = [], []
    for document in DOCUMENTS:
        doc = nlp.make_doc(document["text"])
        doc.ents = [doc.char_span(*span[:2], label=span[2]) for span in truth(document)]
        tuples.append([doc.text, {"entities": [[e.start_char, e.end_char, e.label_] for e in doc.ents]}])
        tokens = [
            {"text": t.text, "start": t.idx, "end": t.idx + len(t), "id": t.i, "ws": bool(t.whitespace_)}
            for t in doc
        ]
        spans = [
            {"start": e.start_char, "end": e.end_char, "token_start": e.start, "token_end": e.end - 1, "label": e.label_}
            for e in doc.ents
        ]
        records.append(
            {"text": doc.text, "_input_hash": 1, "_task_hash": 2, "tokens": tokens, "spans": spans,
             "_view_id": "ner_manual", "answer": "accept"}
        )
    save("spacy.json", json.dumps(tuples, ensure_ascii=False))
    save("spacy.jsonl", lines({"text": text, **entities} for text, entities in tuples))
    save("prodigy.jsonl", lines(records))
    for document, line in zip(DOCUMENTS, (WRITTEN / "prodigy.jsonl").read_text().splitlines(), strict=True):
        record = json.loads(line)
        doc = nlp.make_doc(record["text"])
        spans = [doc.char_span(s["start"], s["end"], label=s["label"]) for s in record["spans"]]
        found = [(s.start_char, s.end_char, s.label_) for s in spans]
        same("Doc.char_span of Prodigy's", found, truth(document))


def conllu():
    from conllu import parse
    from conllu.models import Metadata, Token, TokenList
    from spacy.training.converters import conllu_to_docs

    text = (WRITTEN / "conllu.conllu").read_text()
    for document, sentence in zip(DOCUMENTS, parse(text), strict=True):
        same("conllu reads", sentence.metadata["sent_id"], document["id"])
        same("conllu reads", sentence.metadata["text"], document["text"].replace("\n", " "))
        assert all(token["form"] in document["text"] for token in sentence)
    docs = list(conllu_to_docs(text, n_sents=1, no_print=True))
    names = [(e.text, e.label_) for doc in docs for e in doc.ents]
    expected = [
        (" ".join(document["text"][span[0] : span[1]].split()), span[2])
        for document in DOCUMENTS
        for span in truth(document)
    ]
    same("spaCy reads CoNLL-U", names, expected)
    nlp = pipeline()
    sentences = []
    for document in DOCUMENTS:
        doc = nlp.make_doc(document["text"])
        doc.ents = [doc.char_span(*span[:2], label=span[2]) for span in truth(document)]
        tokens = [
            Token(
                id=t.i + 1, form=t.text, lemma="_", upos="_", xpos="_", feats=None, head=None, deprel="_", deps=None,
                misc={"NER": t.ent_iob_ if t.ent_iob_ == "O" else f"{t.ent_iob_}-{t.ent_type_}"}
                | ({} if t.whitespace_ or t.i + 1 == len(doc) else {"SpaceAfter": "No"}),
            )
            for t in doc
            if not t.is_space
        ]
        for number, token in enumerate(tokens, 1):
            token["id"] = number
        metadata = Metadata({"sent_id": document["id"], "text": document["text"].replace("\n", " ")})
        sentences.append(TokenList(tokens, metadata).serialize())
    save("conllu.conllu", "".join(sentences))


def datasets():
    from datasets import ClassLabel, Dataset, Features, Sequence, Value, load_dataset

    kinds = ["PERSON", "ORG", "GPE", "WORK_OF_ART"]
    names = ["O"] + [f"{letter}-{kind}" for kind in kinds for letter in "BI"]
    features = Features({"id": Value("string"), "tokens": Sequence(Value("string")), "ner_tags": Sequence(ClassLabel(names=names))})
    records = [json.loads(line) for line in (WRITTEN / "datasets.jsonl").read_text().splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "without-images.jsonl"
        path.write_text(lines({name: record[name] for name in features} for record in records))
        loaded = load_dataset("json", data_files=str(path), features=features, split="train", cache_dir=folder)
        for record, row in zip(records, loaded, strict=True):
            same("datasets reads", row["tokens"], record["tokens"])
            same("datasets reads", [names[tag] for tag in row["ner_tags"]], record["ner_tags"])
        rows = {name: [record[name] for record in records] for name in features}
        made = Dataset.from_dict(rows, features=features)
        made.to_json(str(TOOLS / "datasets.jsonl"), force_ascii=False)
        made.save_to_disk(folder + "/saved")
        info = json.loads((Path(folder) / "saved/dataset_info.json").read_text())
        save("dataset_info.json", json.dumps(info, indent=1) + "\n")


def label_studio():
    from label_studio_sdk.converter import Converter

    kinds = sorted({span[2] for document in DOCUMENTS for span in truth(document)})
    labels = "".join(f'<Label value="{kind}"/>' for kind in kinds)
    config = f'<View><Labels name="label" toName="text">{labels}</Labels><Text name="text" value="$text"/></View>'
    with tempfile.TemporaryDirectory() as folder:
        converter = Converter(config, project_dir=None)
        written = str(WRITTEN / "label-studio.json")
        converter.convert(written, folder + "/min", "JSON_MIN", is_dir=False)
        short = json.loads((Path(folder) / "min/result.json").read_text())
        for document, record in zip(DOCUMENTS, short, strict=True):
            found = [(r["start"], r["end"], r["labels"][0]) for r in record.get("label", [])]
            same("JSON_MIN has", (record["text"], found), (document["text"], truth(document)))
            for region, span in zip(record.get("label", []), truth(document)):
                same("JSON_MIN has", region["text"], document["text"][span[0] : span[1]])
        save("label-studio-min.json", json.dumps(short, ensure_ascii=False, indent=1))
        converter.convert(written, folder + "/conll", "CONLL2003", is_dir=False)
        save("label-studio.conll", (Path(folder) / "conll/result.conll").read_text())


def brat():
    import types

    server = Path(__import__("brat").__path__[0])
    sys.path.insert(0, str(server / "server/src"))
    # Its template of config.py, with what an installation fills in.
    template = (server / "config_template.py").read_text()
    filled = {"BASE_DIR": str(server), "DATA_DIR": str(WRITTEN), "WORK_DIR": tempfile.mkdtemp()}
    for name, value in filled.items():
        template = template.replace(f"{name} = CHANGE_ME", f"{name} = {value!r}")
    sys.modules["config"] = types.ModuleType("config")
    exec(template.replace("CHANGE_ME", "''"), vars(sys.modules["config"]))
    from annotation import TextAnnotations, TextBoundAnnotationWithText
    from annotator import _text_for_offsets

    for document in DOCUMENTS:
        for reader in brat_readers(document["id"]):
            same("brat reads", reader, [(pieces(document, span), span[2]) for span in truth(document)])
        # From strings: it opens files with a mode that Python 3.11 no longer has.
        written = (WRITTEN / "brat" / f"{document['id']}.ann").read_text()
        read = TextAnnotations(text=document["text"], source=written)
        same("brat's server finds", len(list(read.get_textbounds())), len(truth(document)))
        for annotation in read.get_textbounds():
            sliced = _text_for_offsets(document["text"], annotation.spans)
            same("brat's server slices", sliced, annotation.text)
        made = TextAnnotations(text=document["text"])
        for number, span in enumerate(truth(document), 1):
            TextBoundAnnotationWithText([list(p) for p in pieces(document, span)], f"T{number}", span[2], made)
        save(f"brat/{document['id']}.txt", document["text"])
        save(f"brat/{document['id']}.ann", str(made))


def pieces(document, span):
    """A span cut at line breaks, as brat's server cuts it."""
    found, start = [], span[0]
    for part in document["text"][span[0] : span[1]].split("\n"):
        found.append((start, start + len(part)))
        start += len(part) + 1
    return found


def brat_readers(name):
    from bioc import brat as bioc_brat
    from pybrat.parser import BratParser

    text, ann = ((WRITTEN / "brat" / f"{name}{end}").read_text() for end in (".txt", ".ann"))
    import io

    read = bioc_brat.load(io.StringIO(text), io.StringIO(ann))
    yield [([(s.begin, s.end) for s in sorted(e.locations)], e.type) for e in read.entities]
    # pybrat reads folders, and takes spaces for the ends of words that it does not cut.
    examples = {e.id: e for e in BratParser(error="raise").parse(str(WRITTEN / "brat"))}
    if ann:
        yield [([(s.start, s.end) for s in e.spans], e.type) for e in examples[name].entities]


def seqeval():
    from seqeval.metrics.sequence_labeling import get_entities
    from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities

    rng = random.Random(20240901)
    cases = []
    for scheme, letters in (("iob1", "BI"), ("iob2", "BI"), ("bioes", "BIES"), ("bilou", "BILU")):
        grammar = {"iob1": IOB1, "iob2": IOB2, "bioes": IOBES, "bilou": BILOU}[scheme]
        while sum(case["scheme"] == scheme for case in cases) < 25:
            tags = [
                rng.choice(["O"] + [f"{letter}-{kind}" for letter in letters for kind in "AB"])
                for _ in range(rng.randrange(1, 9))
            ]
            lenient = [[start, end + 1, kind] for kind, start, end in get_entities(tags)]
            strict = [[e.start, e.end, e.tag] for e in Entities([tags], grammar).entities[0]]
            # seqeval's default mode does not know BILOU's letters.
            lenient = strict if scheme == "bilou" else lenient
            # Well-formed ones, where both agree, and every kind of faulty one.
            if scheme == "bilou" and not well_formed(tags):
                continue
            cases.append({"scheme": scheme, "tags": " ".join(tags), "lenient": lenient, "strict": strict})
    (HERE / "schemes.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


def well_formed(tags):
    """Whether a row of BILOU is one: B I* L, U, O."""
    text = " ".join(tags) + " "
    return re.fullmatch(r"(O |U-\w |B-(\w) (I-\2 )*L-\2 )*", text) is not None


def doccano(wheel):
    """The offsets that doccano's front end sends, by its own code."""
    with zipfile.ZipFile(wheel) as archive:
        scripts = [n for n in archive.namelist() if re.fullmatch(r"backend/staticfiles/_nuxt/\w+\.js", n)]
        # One of several alike, with these names for Babel's helpers.
        named = "te(this,e),this.text=text,this.graphemes"
        bundle = next(s for n in scripts if named in (s := archive.read(n).decode()))
    node = (
        "const fs = require('fs'); const [bundle, texts] = [fs.readFileSync(process.argv[2], 'utf8'), JSON.parse(fs.readFileSync(0))];"
        + (Path(__file__).parent / "doccano_front_end.js").read_text()
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "bundle.js").write_text(bundle)
        (Path(folder) / "run.js").write_text(node)
        texts = json.dumps([document["text"] for document in DOCUMENTS])
        ran = subprocess.run(["node", folder + "/run.js", folder + "/bundle.js"], input=texts, capture_output=True, text=True)
        if ran.returncode:
            sys.exit(ran.stderr)
    tables = json.loads(ran.stdout)
    for mode in ("utf16", "graphemes"):
        records = []
        for number, (document, table) in enumerate(zip(DOCUMENTS, tables, strict=True), 1):
            text = document["text"]
            place = lambda chars: len(text[:chars].encode("utf-16-le")) // 2
            label = [[table[mode][place(s)], table[mode][place(e)], kind] for s, e, kind in truth(document)]
            records.append({"id": number, "text": text, "label": label, "Comments": []})
        save(f"doccano-{mode}.jsonl", lines(records))
    written = [json.loads(line) for line in (WRITTEN / "doccano.jsonl").read_text().splitlines()]
    made = [json.loads(line) for line in (TOOLS / "doccano-utf16.jsonl").read_text().splitlines()]
    same("doccano's front end shows", [r["label"] for r in written], [r["label"] for r in made])


if __name__ == "__main__":
    TOOLS.mkdir(exist_ok=True)
    spacy_and_prodigy()
    conllu()
    datasets()
    label_studio()
    brat()
    seqeval()
    if len(sys.argv) > 1:
        doccano(sys.argv[1])
    print("every tool agrees")
