//! Reading, from strings and from the real corpora where they are.

use super::*;
use crate::decode::chunks::{Rule, chunks};
use std::path::PathBuf;

fn source(settings: &str) -> Source {
    let path = r#"{"path": "some.txt""#;
    serde_json::from_str(&format!("{path}{settings}}}")).unwrap()
}

fn read_bytes(bytes: &[u8], source: &Source) -> Result<Vec<Sample>, CorpusError> {
    Reader::new(bytes, source).collect()
}

/// Samples as `id|word/label word/label`.
fn shown(text: &str, settings: &str) -> Vec<String> {
    let samples = read_bytes(text.as_bytes(), &source(settings)).unwrap();
    let show = |sample: &Sample| {
        let words = sample.tokens.iter().zip(&sample.labels);
        let words: Vec<_> = words
            .map(|(word, label)| format!("{word}/{label}"))
            .collect();
        format!(
            "{}|{}",
            sample.id.as_deref().unwrap_or_default(),
            words.join(" ")
        )
    };
    samples.iter().map(show).collect()
}

#[test]
fn every_format_is_read() {
    let imgid = "IMGID:7\nHi\tO\nAnn\tB-PER\n\nIMGID:17_06_8\nParis\tB-OTHER\n";
    assert_eq!(
        shown(imgid, ""),
        ["7|Hi/O Ann/B-PER", "17_06_8|Paris/B-MISC"]
    );
    let two = "Hi\tO\nAnn\tB-PER\n\n\n\nke s\tO\n\n";
    assert_eq!(shown(two, ""), ["|Hi/O Ann/B-PER", "|ke s/O"]);
    assert_eq!(shown("Hi O\nAnn  B-PER\n", ""), ["|Hi/O Ann/B-PER"]);
    let four = "-DOCSTART- -X- -X- O\n\nEU NNP I-NP B-ORG\n\nHi\t-\t-\tO\n-DOCSTART-\nX\t-\t-\tO\n";
    assert_eq!(shown(four, ""), ["|EU/B-ORG", "|Hi/O", "|X/O"]);
    let jsonl = concat!(
        r#"{"tokens": ["Hi", "Ann"], "labels": ["O", "B-PER"], "image": "a/b.jpg", "more": 1}"#,
        "\n\n",
        r#"{"id": "9", "tokens": ["x y"], "labels": ["I-ORG"]}"#,
    );
    assert_eq!(shown(jsonl, ""), ["|Hi/O Ann/B-PER", "9|x y/I-ORG"]);
    let samples = read_bytes(jsonl.as_bytes(), &source("")).unwrap();
    assert_eq!(samples[0].image.as_deref(), Some("a/b.jpg"));
    assert_eq!(samples[1].image, None);
}

#[test]
fn a_format_that_is_named_is_not_looked_for() {
    // A word with its label, though a JSON object might begin like it.
    let text = "{\"\tO\n";
    assert_eq!(shown(text, ""), ["|{\"/O"]);
    assert!(read_bytes(text.as_bytes(), &source(r#", "format": "conll4""#)).is_err());
    assert_eq!(shown(text, r#", "format": "conll2""#), ["|{\"/O"]);
}

#[test]
fn numbers_and_comments_are_no_words() {
    let germ_eval =
        "#\tn-tv.de\t[2010-01-22]\n1\tAngela\tB-PER\tO\n2\tMerkel\tI-PER\tB-LOC\n\n1\tHi\tO\tO\n";
    let germ_eval = germ_eval.replacen("#\t", "# ", 1);
    assert_eq!(
        shown(&germ_eval, ""),
        ["|Angela/B-PER Merkel/I-PER", "|Hi/O"]
    );
    let three = "1 Angela B-PER\n2 lacht O\n\n1 7 O\n";
    assert_eq!(shown(three, ""), ["|Angela/B-PER lacht/O", "|7/O"]);
    let tagged = "# sent_id = 1\n# text = Angela lacht O\n1\tAngela\tNNP\tB-PER\n2\tlacht\tVB\tO\n\n# sent_id = 2\n1\tx\tX\tO\n";
    assert_eq!(shown(tagged, ""), ["|Angela/B-PER lacht/O", "|x/O"]);
    // The words of sentence 7, and numbers with dots.
    let pairs = "7-1\tAngela\tB-PER\n7-2\tlacht\tO\n\n8-1\tx\tO\n";
    assert_eq!(shown(pairs, ""), ["|Angela/B-PER lacht/O", "|x/O"]);
    let dots = "1.\tAngela\tB-PER\n2.\tlacht\tO\n";
    assert_eq!(shown(dots, ""), ["|Angela/B-PER lacht/O"]);
    // MultiCoNER.
    let four = "# id 5239\tdomain=en\nAnn _ _ B-PER\n# _ _ O\n\n# id 6\tdomain=en\nx _ _ O\n";
    assert_eq!(shown(four, ""), ["|Ann/B-PER #/O", "|x/O"]);
    let two = "# newdoc\n#\tO\n#NBA\tB-ORG\n# B-ORG\n#begin document (a)\n1\tO\n";
    assert_eq!(shown(two, ""), ["|#/O #NBA/B-ORG #/B-ORG 1/O"]);
    let four = "1 - - O\n2 - - O\n";
    assert_eq!(shown(four, ""), ["|1/O 2/O"]);
    let lost = "1\tAngela\tB-PER\n2\tlacht\tO\nx\tO\n";
    let error = read_bytes(lost.as_bytes(), &source("")).unwrap_err();
    assert!(
        error.to_string().contains("some.txt:3: found 2 column(s)"),
        "{error}"
    );
    let numbers = r#"{"id": 1234567890123456789, "tokens": ["a"], "labels": ["O"]}"#;
    assert_eq!(shown(numbers, ""), ["1234567890123456789|a/O"]);
}

#[test]
fn tags_of_other_schemes_become_bio() {
    let bioes = "a\tS-PER\nb\tB-PER\nc\tI-PER\nd\tE-PER\ne\tI-PER\nf\tU-LOC\ng\tL-LOC\n";
    let bio = ["|a/B-PER b/B-PER c/I-PER d/I-PER e/B-PER f/B-LOC g/B-LOC"];
    assert_eq!(shown(bioes, ""), bio);
    assert!(read_bytes(bioes.as_bytes(), &source(r#", "scheme": "iob2""#)).is_err());
}

#[test]
fn what_is_not_read_is_named() {
    for (text, name) in [
        ("[\n  {\n    \"id\": 1,", "jq -c"),
        ("Sentence: 1\tThousands\tNNS\tO\n", "sentence numbers"),
        ("\u{feff}<?xml version=\"1.0\"?>\n", "XML"),
        (r#"{"paragraphs": []}"#, "spaCy"),
        (
            r#"{"text": "a", "label": [[0, 1, "PER"]]}"#,
            "\"format\": \"doccano\"",
        ),
        ("#FORMAT=WebAnno TSV 3.3\n#T_SP=x|value\n", "WebAnno"),
        ("Sentence #,Word,POS,Tag\n", "sentence numbers"),
        ("sentence_id,words,labels\n", "commas"),
        ("\"word\";\"label\"\nObama;B-PER\n", "commas"),
        (
            r#"{"tokenized_text": ["Obama"], "ner": [[0, 0, "person"]]}"#,
            "GLiNER",
        ),
        (
            r#"{"content": "Obama", "annotation": [{"label": ["PER"], "points": [{"start": 0, "end": 4, "text": "Obama"}]}], "extras": null}"#,
            "Dataturks",
        ),
        (
            r#"{"tokens": ["Obama"], "entities": [{"type": "PER", "start": 0, "end": 1}], "relations": []}"#,
            "SpERT",
        ),
        (
            r#"{"doc_key": "1", "sentences": [["Obama"]], "ner": [[[0, 0, "PER"]]]}"#,
            "DyGIE",
        ),
        (
            r#"{"text": "Obama", "annotation": [["PER", 0, 5]], "annotation_agent": "me"}"#,
            "annotation tool",
        ),
        ("De Art O\nParis N B-LOC\n", "CoNLL-2002"),
        ("a b c d B-PER\n", "{print $1"),
        ("1 a b c B-PER\n2 a b c O\n", "{print $2"),
        ("1-1\ta\tb\tc\tB-PER\n1-2\ta\tb\tc\tO\n", "{print $2"),
        ("7 Obama B-PER\n8 in O\n", "{print $2"),
        ("T1 Obama B-PER\nT2 in O\n", "{print $2"),
        ("1\t1\tObama\tB-PER\n1\t2\tin\tO\n", "print $3"),
        ("0 0 Obama B-PER\n0 1 in O\n1 0 IBM B-ORG\n", "print $3"),
        ("Obama\tB-PER\rin\tO\r", "carriage return"),
        ("O\0b\0a\0", "UTF-16"),
        ("\0O\0b\0a", "UTF-16"),
        ("Obama\t1\nin\t0\n", "labels as numbers"),
        ("EU NNP I-NP 3\n", "labels as numbers"),
        ("PAR1\u{15}\u{4}", "Parquet"),
        ("%PDF-1.7\n", "pdftotext"),
        ("\0\0\0O\0\0\0\t", "UTF-32BE"),
        ("[@Obama#PER*] in [@Rome#LOC*]\n", "YEDDA"),
        ("TRAIN_DATA = [('Obama', {'entities': []})]\n", "json.dump"),
        ("\"Obama\",\"B-PER\"\n\"in\",\"O\"\n", "--icsv"),
        ("Obama;B-PER\nin;O\n", "semicolon"),
        ("Obama/B-PER in/O Rome/B-LOC\n", "slash"),
        ("id,tokens,ner_tags\n", "a line of names"),
        (
            r#"{"classes":["PER"],"annotations":[["Obama",{"entities":[[0,5,"PER"]]}]]}"#,
            "jq -c '.annotations[]",
        ),
        (r#"{"rasa_nlu_data":{"common_examples":[]}}"#, "Rasa"),
        (
            r#"{"version":"1","data":[{"tokens":["a"],"ner_tags":["O"]}]}"#,
            "jq -c '.data[]'",
        ),
        (
            r#"{"tokens":[["a"],["b"]],"ner_tags":[["O"],["O"]]}"#,
            "to_json",
        ),
        (
            r#"{"text":"Obama","entities":[{"entity_group":"PER","start":0,"end":5}]}"#,
            "transformers",
        ),
        ("BZh91AY&SY", "bzip2"),
    ] {
        let error = read_bytes(text.as_bytes(), &source(""))
            .expect_err(text)
            .to_string();
        assert!(
            error.contains(name) && error.contains("; "),
            "{text}: {error}"
        );
    }
    // Four columns all the same where the second counts nothing.
    for text in ["1 CD B-NP O\nday NN I-NP O\n", "1 1 - O\n7 2 - O\n"] {
        assert!(read_bytes(text.as_bytes(), &source("")).is_ok(), "{text}");
    }
    let utf16: Vec<u8> = "\u{feff}a\tO\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let error = read_bytes(&utf16, &source("")).unwrap_err().to_string();
    assert!(error.contains("found UTF-16"), "{error}");
}

/// Any two-column file as the page's `toConll` copies it: words without white space, a blank, a label.
#[test]
fn what_the_page_copies_is_read_back() {
    use proptest::prelude::*;
    let words = prop_oneof![
        any::<String>(),
        "[#{}\"\\[\\]:\\-_=0-9OBI.@\u{200b}\u{301}]{1,6}",
        proptest::sample::select(vec![
            "{\"",
            "{",
            "{}",
            "IMGID:",
            "IMGID:7",
            "#",
            "##",
            "#begin",
            "# ",
            "-DOCSTART-",
            "O",
            "B-PER",
            "I-",
            "1",
            "0",
            "T1",
            "[",
            "[{\"id\":1}",
            "<3",
            "Sentence:",
            "=",
            "{\"tokens\":",
            "\u{85}",
            "//",
            "PAR1",
        ])
        .prop_map(str::to_owned),
    ];
    let words = words.prop_map(|word| {
        let word: String = word
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '\u{feff}')
            .collect();
        if word.is_empty() {
            "x".to_owned()
        } else {
            word
        }
    });
    let labels = (0..9usize).prop_map(Label::from_index);
    let tweets = proptest::collection::vec((words, labels), 1..6);
    proptest!(ProptestConfig::with_cases(2000), |(tweet in tweets)| {
        let alone = tweet.len() == 1 && tweet[0].0 == "-DOCSTART-" && tweet[0].1 == Label::O;
        prop_assume!(!alone);
        let text: String = tweet.iter().map(|(word, label)| format!("{word} {label}\n")).collect();
        let read = read_bytes(text.as_bytes(), &source("")).map_err(|e| TestCaseError::fail(e.to_string()))?;
        prop_assert_eq!(read.len(), 1);
        let read: Vec<_> = read[0].tokens.iter().cloned().zip(read[0].labels.iter().copied()).collect();
        prop_assert_eq!(read, tweet);
    });
}

#[test]
fn a_document_starts_before_an_image_id_but_not_before_a_word_like_one() {
    assert_eq!(shown("-DOCSTART- O\nIMGID:7\nx O\n", ""), ["7|x/O"]);
    assert_eq!(
        shown("-DOCSTART- O\nIMGID: O\n", ""),
        ["|-DOCSTART-/O IMGID:/O"]
    );
}

#[test]
fn line_ends_marks_and_blanks_do_not_matter() {
    let text = "\u{feff}IMGID:7 \r\nHi \tO \r\n Ann\tB-PER\r\n\t\r\n \r\nIMGID: 8\r\n\r\nx\tO";
    assert_eq!(shown(text, ""), ["7|Hi/O Ann/B-PER", "8|x/O"]);
    assert_eq!(shown("a\tO\n\t\nb\tO\n", ""), ["|a/O", "|b/O"]);
    // Two files in one.
    let two = "\u{feff}IMGID:7\nHi\tO\n\n\u{feff}IMGID:8\nx\tO\n";
    assert_eq!(shown(two, ""), ["7|Hi/O", "8|x/O"]);
    let two = "\u{feff}a O\n\n\u{feff}# newdoc\nb O\n";
    assert_eq!(shown(two, ""), ["|a/O", "|b/O"]);
}

#[test]
fn invisible_words_stay_and_empty_ones_go() {
    let text = "\u{a0}\tO\n\u{200d}\tO\n\tO\n \tO\nAnn\u{feff}\tB-PER\n\n\tO\n\nb\tO\n";
    assert_eq!(
        shown(text, ""),
        ["|\u{a0}/O \u{200d}/O Ann\u{feff}/B-PER", "|b/O"]
    );
}

#[test]
fn settings_are_applied() {
    let settings = r#", "labels": {"group": "ORG", "product": null}, "prefixes": "joined", "mentions_outside": true"#;
    let text = "@\tB-group\nuser\tB-group\niPad\tB-product\n#\tO\nNBA\tB-group\n";
    assert_eq!(shown(text, settings), ["|@user/O iPad/O #NBA/B-ORG"]);
    let names = r#", "names": ["O", "B-PER"]"#;
    assert_eq!(shown("Obama\t1\nin\t0\n", names), ["|Obama/B-PER in/O"]);
    assert!(serde_json::from_str::<Source>(r#"{"path": "a", "wieght": 2}"#).is_err());
    let plain = source("");
    assert_eq!(plain, Source::new("some.txt"));
    assert_eq!(
        serde_json::from_str::<Source>(&serde_json::to_string(&plain).unwrap()).unwrap(),
        plain
    );
    let partial = source(r#", "unlabelled": ["MISC", "PER"]"#);
    let open = partial.open_labels().into_iter().map(Label::from_index);
    let open: Vec<_> = open.map(|label| label.to_string()).collect();
    assert_eq!(open, ["B-MISC", "I-MISC", "B-PER", "I-PER"]);
}

#[test]
fn a_malformed_file_is_told_by_line_and_expectation() {
    let cases: [(&[u8], &str, &str); 16] = [
        (
            b"",
            "",
            "some.txt: holds no labelled tweet; expected at least one",
        ),
        (b"\n \r\n\t\n", "", "some.txt: holds no labelled tweet"),
        (
            b"a\tO\n\nb\tO\nc\t\n",
            "",
            "some.txt:4: found 1 column(s) in `c`; expected the two columns",
        ),
        (b"a\tO\nb\tx\tO\n", "", "some.txt:2: found 3 column(s)"),
        (
            b"a - - O\nb O\n",
            "",
            "some.txt:2: found 2 column(s) in `b O`; expected the four columns",
        ),
        (
            b"a\tO\nb\tPER\n",
            "",
            "some.txt:2: found the label `PER`; expected `O`, `B-<type>`",
        ),
        (
            b"a\tB-drug\n",
            "",
            "some.txt:1: found the type `drug`; expected one of PER, LOC, ORG",
        ),
        (
            b"\tO\n\tB-PER\n",
            "",
            "some.txt:2: found an empty word labelled `B-PER`",
        ),
        (
            b"a b c\n",
            "",
            "some.txt:1: found `a b c`; expected `IMGID:<id>`, a JSON object",
        ),
        (
            b"a\tO\n\xff\xfe\tO\n",
            "",
            "some.txt:2: found bytes that are not UTF-8",
        ),
        (
            b"IMGID:1\na\tO\n\nb\tO\n",
            "",
            "some.txt:4: found `b\tO`; expected `IMGID:<id>`",
        ),
        (
            b"IMGID:1\n\nIMGID:2\na\tO\n",
            "",
            "some.txt:3: found a tweet without words",
        ),
        (
            b"IMGID:1\na\tO\nIMGID:2\n\n",
            "",
            "some.txt:3: found a tweet without words",
        ),
        (
            b"{\"tokens\": [\"a\"], \"labels\": [\"O\"]}\n{\"tokens\": 3}\n",
            "",
            "some.txt:2: found invalid type: integer `3`, expected a sequence (column 12); \
             expected one JSON object",
        ),
        (
            b"{\"tokens\": [\"a\"], \"labels\": []}\n",
            "",
            "some.txt:1: found 1 tokens and 0 labels; expected one label a token",
        ),
        (
            b"a\tO\n",
            r#", "format": "jsonl""#,
            "some.txt:1: found expected value (column 1)",
        ),
    ];
    for (bytes, settings, message) in cases {
        let source = source(settings);
        let mut reader = Reader::new(bytes, &source);
        let error = reader.find_map(Result::err).expect(message).to_string();
        assert!(error.starts_with(message), "{error}\n{message}");
        assert!(reader.next().is_none());
    }
    let missing = read("no/such/file").unwrap_err().to_string();
    assert!(
        missing.starts_with("no/such/file: cannot be read: "),
        "{missing}"
    );
}

#[test]
fn samples_before_a_fault_are_read() {
    let source = source("");
    let mut reader = Reader::new(&b"a\tO\n\nb\tO\n\nc\n"[..], &source);
    assert!(reader.next().unwrap().is_ok() && reader.next().unwrap().is_ok());
    assert!(matches!(
        reader.next(),
        Some(Err(CorpusError::Line { line: 5, .. }))
    ));
}

/// The folder of corpora, if this machine has it.
fn data() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    let shared = std::env::var_os("MNER_SHARED").map_or_else(beside, PathBuf::from);
    let data = shared.join("data");
    if !data.is_dir() {
        println!(
            "skipped: there are no corpora at {}; set MNER_SHARED",
            data.display()
        );
        return None;
    }
    Some(data)
}

#[test]
fn the_benchmarks_have_the_published_counts() {
    let Some(data) = data() else { return };
    for (file, counts) in [
        ("twitter2015/train.txt", (4000, 6166, 6352)),
        ("twitter2015/valid.txt", (1000, 1541, 1594)),
        ("twitter2017/train.txt", (3373, 6049, 6049)),
        ("twitter2017/valid.txt", (723, 1324, 1324)),
    ] {
        let samples = read(data.join(file)).unwrap();
        assert!(samples.iter().all(|sample| sample.id.is_some()));
        let Stats {
            samples,
            begun,
            lenient,
            ..
        } = Stats::of(&samples);
        assert_eq!(
            (samples, begun.iter().sum(), lenient.iter().sum()),
            counts,
            "{file}"
        );
    }
}

#[test]
fn every_corpus_is_read() {
    let Some(data) = data() else { return };
    let wnut = r#", "labels": {"person": "PER", "location": "LOC", "corporation": "ORG", "group": "ORG",
        "product": "MISC", "creative-work": "MISC"}"#;
    // Tweets, words, and entities per type, counted by other code than this.
    for (file, settings, expected) in [
        (
            "ner/btc.train.conll",
            "",
            (6338, 99933, [4084, 2030, 2665, 0]),
        ),
        ("ner/btc.dev.conll", "", (1000, 15023, [1194, 156, 380, 0])),
        (
            "ner/wnut17.train.conll",
            wnut,
            (3394, 62730, [660, 548, 485, 282]),
        ),
        (
            "ner/wnut17.dev.conll",
            wnut,
            (1009, 15733, [470, 74, 73, 219]),
        ),
        (
            "ner/tweebank.train.txt",
            "",
            (1600, 24014, [356, 133, 239, 234]),
        ),
        ("ner/tweebank.dev.txt", "", (700, 11562, [143, 69, 110, 95])),
        ("real_tweets/tweets.jsonl", "", (20, 331, [8, 8, 7, 5])),
    ] {
        let mut source = source(settings);
        source.path = data.join(file);
        let samples = source.read().unwrap();
        let Stats {
            samples,
            tokens,
            lenient,
            ..
        } = Stats::of(&samples);
        assert_eq!((samples, tokens, lenient), expected, "{file}");
    }
}

#[test]
fn a_record_names_its_image() {
    let Some(data) = data() else { return };
    let folder = data.join("real_tweets");
    for sample in read(folder.join("tweets.jsonl")).unwrap() {
        let image = sample.image.unwrap();
        assert!(folder.join(&image).is_file(), "{image}");
    }
}

/// Joining makes one entity of what the Broad Twitter Corpus counts as two.
#[test]
fn joining_mends_doubled_mentions() {
    let Some(data) = data() else { return };
    let mut source = Source::new(data.join("ner/btc.train.conll"));
    let mentions = |source: &Source| {
        let samples = source.read().unwrap();
        let lone = |word: &String| word == "@";
        let entities = samples.iter().flat_map(|sample| {
            chunks(&sample.labels, Rule::Lenient)
                .into_iter()
                .map(|chunk| &sample.tokens[chunk.start])
        });
        entities.filter(|word| lone(word)).count()
    };
    assert_eq!(mentions(&source), 1415);
    for prefixes in [Prefixes::Joined, Prefixes::Split] {
        source.prefixes = prefixes;
        assert_eq!(mentions(&source), 0);
    }
}

#[test]
fn raw_tweets_are_read_where_nothing_is_labelled() {
    let line = r#"{"id": "7", "text": "RT @nasa: wow!", "image": "a.jpg"}"#;
    let open = r#", "unlabelled": ["PER", "LOC", "ORG", "MISC"]"#;
    assert_eq!(shown(line, open), ["7|RT/O @nasa/O :/O wow/O !/O"]);
    let apart = format!(r#"{open}, "prefixes": "split""#);
    assert_eq!(shown(line, &apart), ["7|RT/O @/O nasa/O :/O wow/O !/O"]);
    let error = read_bytes(line.as_bytes(), &source(""))
        .unwrap_err()
        .to_string();
    assert!(error.contains("line") || error.contains(":1:"), "{error}");
    assert!(error.contains("\"unlabelled\""), "{error}");
}

#[test]
fn raw_tweets_are_read_with_the_spans_that_predict_writes() {
    let line = r##"{"text": "👩🏽‍🚀 Ada Low, #Ulm!", "entities": [{"type": "PER", "chars": [5, 12]}, {"type": "LOC", "chars": [15, 18]}]}"##;
    let read = "|👩🏽‍🚀/O Ada/B-PER Low/I-PER ,/O #/O Ulm/B-LOC !/O";
    assert_eq!(shown(line, ""), [read]);
    let cut = line.replace("[5, 12]", "[5, 11]");
    let error = read_bytes(cut.as_bytes(), &source("")).unwrap_err();
    assert!(
        error.to_string().contains("\"Ada Lo\" (5 to 11)"),
        "{error}"
    );
}

#[test]
fn answers_of_predict_are_read_whatever_their_members_are_called() {
    for line in [
        r#"{"full_text": "Ada won", "entities": {"urls": []}, "mner_entities": [{"type": "PER", "chars": [0, 3]}], "mner_read_field": "full_text"}"#,
        r#"{"full_text": "Ada won", "entities": [{"type": "PER", "chars": [0, 3]}]}"#,
        r#"{"text": "A…", "extended_tweet": {"full_text": "Ada won"}, "read_field": "extended_tweet.full_text", "entities": [{"type": "PER", "chars": [0, 3]}]}"#,
    ] {
        let fault = r#"{"line": 1, "error": "not JSON"}"#;
        let read = shown(&format!("{fault}\n{line}\n{fault}\n"), "");
        assert_eq!(read, ["|Ada/B-PER won/O"], "{line}");
    }
    let none = r#"{"text": "Ada won", "entities": {"urls": []}, "mner_entities": []}"#;
    assert_eq!(shown(none, ""), ["|Ada/O won/O"]);
    let only = read_bytes(br#"{"text": 3, "line": 1, "error": "x"}"#, &source(""));
    assert!(matches!(only, Err(CorpusError::Empty { .. })));
    // Another's members of such names are none of an answer.
    let words = r#"{"tokens": ["Ada"], "labels": ["B-PER"], "error": "none", "entities": []}"#;
    assert_eq!(shown(words, ""), ["|Ada/B-PER"]);
}
