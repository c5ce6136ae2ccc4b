use super::*;
use crate::formats::word2vec::neighbours::{NEIGHBOURS, most_similar};
use crate::formula;
use burn::tensor::Device;

const REFERENCE: &str = include_str!("../../../../tests/reference/augmentation.json");

#[derive(serde::Deserialize)]
struct Reference {
    words: Vec<String>,
    vectors: Vec<Vec<f32>>,
    neighbours: Vec<[usize; NEIGHBOURS]>,
    augmentation: Vec<Vec<f32>>,
}

fn reference() -> Reference {
    serde_json::from_str(REFERENCE).unwrap()
}

fn head(r: &Reference) -> Vec<u8> {
    format!("{} {}\n", r.words.len(), r.vectors[0].len()).into_bytes()
}

fn binary(r: &Reference, after: &[u8]) -> Vec<u8> {
    let mut bytes = head(r);
    for (word, vector) in r.words.iter().zip(&r.vectors) {
        bytes.extend(word.as_bytes());
        bytes.push(b' ');
        bytes.extend(vector.iter().flat_map(|v| v.to_le_bytes()));
        bytes.extend(after);
    }
    bytes
}

fn text(r: &Reference) -> Vec<u8> {
    let mut bytes = head(r);
    for (word, vector) in r.words.iter().zip(&r.vectors) {
        let values: Vec<String> = vector.iter().map(f32::to_string).collect();
        bytes.extend(format!("{word} {}\n", values.join(" ")).into_bytes());
    }
    bytes
}

#[test]
fn binary_and_text_are_the_same_model() {
    let r = reference();
    let vectors = WordVectors::parse(&text(&r)).unwrap();
    assert_eq!(vectors.words, r.words);
    assert_eq!(vectors.values, r.vectors.concat());
    assert_eq!(WordVectors::parse(&binary(&r, b"")).unwrap(), vectors);
    assert_eq!(WordVectors::parse(&binary(&r, b"\n")).unwrap(), vectors);
}

#[test]
fn neighbours_and_their_mean_are_those_of_numpy() {
    let r = reference();
    let vectors = WordVectors::parse(&binary(&r, b"")).unwrap();
    let table = vectors.augmentation(&Device::flex()).unwrap();
    for ((word, expected), neighbours) in r.words.iter().zip(&r.augmentation).zip(r.neighbours) {
        let most = expected.iter().fold(0f32, |m, v| m.max(v.abs()));
        for (got, expected) in table.vector(word).iter().zip(expected) {
            let error = (got - expected).abs();
            assert!(
                error <= most / 127.0 * 0.51,
                "{word} {neighbours:?}: {error}"
            );
        }
    }
}

#[test]
fn other_ways_of_writing_vectors_are_read() {
    let expected = (
        vec!["kite".to_owned(), "a b".to_owned(), "hawk".to_owned()],
        vec![1.0, -2.5, 3e-2, 4.0, 5.0, 6.0],
    );
    for text in [
        "3 2\nKite 1 -2.5\na b 3e-2 4\nhawk 5 6\n",
        "Kite 1 -2.5\na b 3e-2 4\nhawk 5 6\n",
        "Kite 1 -2.5\na b 3e-2 4\nhawk 5 6",
        "3\t2\r\nKite\t1\t-2.5\r\na b\t3e-2\t4\r\nhawk\t5\t6\r\n",
        "Kite\t1\t-2.5\na b\t3e-2\t4\nhawk\t5\t6\n",
        "\u{feff}Kite 1 -2.5 \na b 3e-2 4 \n\nhawk  5 6 \n",
    ] {
        let vectors =
            WordVectors::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        assert_eq!((vectors.words, vectors.values), expected, "{text:?}");
    }
    // A word that is a number, and one that ends in one.
    let vectors = WordVectors::parse(b"the 1 2\n2016 3 4\nrio 2016 5 6\n").unwrap();
    assert_eq!(vectors.words, ["the", "2016", "rio 2016"]);
    let error = WordVectors::parse(b"the 1 2 3\nof 1 2 3\nx y z w\n").unwrap_err();
    assert!(error.to_string().contains("\"x\" holds \"y\""), "{error}");
    let error = WordVectors::parse(b"the x 1 y\nof 1 2 z\n").unwrap_err();
    assert!(error.to_string().contains("begins with"), "{error}");
    // A word of nothing, first or in between.
    for text in [" 7 8 9\na 1 2 3\nb 4 5 6\n", "a 1 2 3\n 7 8 9\nb 4 5 6\n"] {
        let vectors = WordVectors::parse(text.as_bytes()).unwrap();
        assert_eq!((vectors.size, vectors.count()), (3, 2), "{text:?}");
    }
    let error = WordVectors::parse(b"a 1 2 3\nyork 7 8\nb 4 5 6\n").unwrap_err();
    assert!(
        matches!(error, Word2vecError::Short { line: 2, size: 3 }),
        "{error}"
    );
    let text = "w 1 2\n".repeat(FIRST_LINES) + "x 1\n";
    let error = WordVectors::parse(text.as_bytes()).unwrap_err();
    assert!(
        matches!(error, Word2vecError::Short { line: 65, size: 2 }),
        "{error}"
    );
}

#[test]
fn the_most_frequent_words_of_many_are_read() {
    for bytes in [&b"4 1\na 1\nb 2\nc 3\nd 4\n"[..], b"a 1\nb 2\nc 3\nd 4\n"] {
        let vectors = WordVectors::parse_from(bytes, 2).ok().unwrap();
        assert_eq!(vectors.words, ["a", "b"]);
        assert_eq!(
            vectors.to_string(),
            "the first 2 words with vectors of 1 values: 0.0 MB of the bundle"
        );
    }
    let all = WordVectors::parse_from(&b"a 1\nb 2\n"[..], 2).ok().unwrap();
    assert!(!all.cut);
}

#[test]
fn words_alike_but_for_case_are_one_and_the_first_counts() {
    let vectors = WordVectors::parse(b"3 2\nKite 1 2\nkite 3 4\nhawk 5 6\n").unwrap();
    assert_eq!(vectors.words, ["kite", "hawk"]);
    assert_eq!(vectors.values, [1.0, 2.0, 5.0, 6.0]);
    let error = vectors.augmentation(&Device::flex()).unwrap_err();
    assert!(matches!(error, Word2vecError::Few(2)), "{error}");
}

#[test]
fn of_equals_the_first_are_taken() {
    let best = most_similar(&[0.5, 0.5, 1.0, 0.5, 0.5, 0.5, 0.6], 2);
    assert_eq!(best, [(0.6, 6), (0.5, 0), (0.5, 1), (0.5, 3)]);
}

#[test]
fn errors_say_what_is_wrong() {
    let error = |bytes: &[u8]| WordVectors::parse(bytes).unwrap_err().to_string();
    assert!(error(b"").contains("is empty"));
    assert!(error(b"2\0 \x002\0\n\0").contains("UTF-16; make UTF-8"));
    assert!(error(b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
    assert!(error(b"hello world\n").contains("\"hello world\""));
    assert!(error(b"2 0\n").contains("begins with"));
    assert!(error(b"2 2\na 1 2\n").contains("ends in word 2"));
    assert!(error(b"2 2\na 1 2\nb 1\n").contains("ends in word 2"));
    assert!(error(b"1 2\na 1 2\nb 1 2\n").contains("has more"));
    assert!(error(b"2 2\na 1 2\nb 1 x\n").contains("\"b\" holds \"x\""));
    assert!(error(b"1 2\na 1 inf\n").contains("no finite number"));
    for size in [1, 2, 4, 9] {
        let said = error(format!("2 {size}\na 1 2 3\nb 1 2 3\n").as_bytes());
        let numbers = said.contains(&format!("says {size} values")) && said.contains("have 3;");
        assert!(numbers, "{said}");
    }
    let whole = binary(&reference(), b"");
    assert!(error(&whole[..whole.len() - 1]).contains("ends in word 12"));
    assert!(error(&[&whole[..], b"x"].concat()).contains("has more"));
    assert!(error(b"9 18446744073709551615\na bcd").contains("ends in word 1"));
}

#[test]
fn the_tweets_model_reads() {
    let Some(bytes) = formula::shared("weights/tweet_word2vec_200d.bin") else {
        return;
    };
    let vectors = WordVectors::parse(&bytes).unwrap();
    assert_eq!((vectors.count(), vectors.size), (20_000, 200));
    // The most frequent words alone: all of them take seconds.
    let some = WordVectors {
        words: vectors.words[..500].to_vec(),
        size: 200,
        values: vectors.values[..500 * 200].to_vec(),
        cut: false,
    };
    let table = some.augmentation(&Device::flex()).unwrap();
    assert!(table.knows("@User") && !table.knows("zyzzyva"));
}

#[test]
fn packed_files_and_models_are_named() {
    for (start, said) in [
        (&b"\x1f\x8b\x08\0"[..], "gzip -dc"),
        (b"PK\x03\x04", "ZIP"),
        (b"\xba\x16\x4f\x2f\x0c\0\0\0", ".vec"),
    ] {
        let error = WordVectors::parse(start).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
