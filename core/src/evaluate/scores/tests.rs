use super::*;
use proptest::prelude::*;

/// Written by `scores.py` beside it.
const REFERENCE: &str = include_str!("../../../../tests/reference/scores.json");

#[derive(Deserialize)]
struct Reference {
    documents: Vec<Document>,
    scores: serde_json::Value,
}

#[derive(Deserialize)]
struct Document {
    gold: String,
    predicted: String,
    lenient: Vec<(String, usize, usize)>,
    strict: Vec<(String, usize, usize)>,
}

fn labels(text: &str) -> Vec<Label> {
    text.split_whitespace()
        .map(|label| Label::parse(label).unwrap())
        .collect()
}

fn scored(pairs: &[(Vec<Label>, Vec<Label>)]) -> Scores {
    let mut scores = Scores::new();
    for (gold, predicted) in pairs {
        scores.add(gold, predicted);
    }
    scores
}

fn close(found: &serde_json::Value, expected: &serde_json::Value) {
    let fields = expected.as_object().unwrap();
    assert_eq!(found.as_object().unwrap().len(), fields.len());
    for (name, expected) in fields {
        match expected.as_f64() {
            Some(expected) => {
                let found = found[name].as_f64().unwrap();
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{name}: {found} for {expected}"
                );
            }
            None => close(&found[name], expected),
        }
    }
}

#[test]
fn chunks_and_scores_are_seqevals() {
    let Reference {
        documents,
        scores: expected,
    } = serde_json::from_str(REFERENCE).unwrap();
    assert_eq!(documents.len(), 60);
    let mut scores = Scores::new();
    for document in &documents {
        let gold = labels(&document.gold);
        for (rule, spans) in [
            (Rule::Lenient, &document.lenient),
            (Rule::Strict, &document.strict),
        ] {
            let found: Vec<_> = chunks(&gold, rule)
                .iter()
                .map(|c| (c.kind.to_string(), c.start, c.end))
                .collect();
            assert_eq!(&found, spans, "{rule:?} {}", document.gold);
        }
        scores.add(&gold, &labels(&document.predicted));
    }
    // The same field names at the same places, so this is the serialised form too.
    close(&serde_json::to_value(&scores).unwrap(), &expected);
    assert_ne!(expected["lenient"], expected["strict"]);
}

#[test]
fn nothing_found_and_nothing_to_find_is_zero() {
    let report = scored(&[(labels("O O"), labels("O O"))]).report();
    for (name, score) in report
        .lenient
        .rows()
        .into_iter()
        .chain(report.strict.rows())
    {
        let zero = Score {
            precision: 0.0,
            recall: 0.0,
            f1: 0.0,
            support: 0,
        };
        assert_eq!(score, zero, "{name}");
    }
}

#[test]
fn the_table_is_aligned_and_the_json_comes_back() {
    let scores = scored(&[(
        labels("B-PER I-PER O B-LOC O I-ORG"),
        labels("B-PER I-PER O B-ORG O O"),
    )]);
    let expected = "\
lenient  precision   recall       f1  support
  micro      50.00    33.33    40.00        3
  PER       100.00   100.00   100.00        1
  LOC         0.00     0.00     0.00        1
  ORG         0.00     0.00     0.00        1
  MISC        0.00     0.00     0.00        0
strict   precision   recall       f1  support
  micro      50.00    50.00    50.00        2
  PER       100.00   100.00   100.00        1
  LOC         0.00     0.00     0.00        1
  ORG         0.00     0.00     0.00        0
  MISC        0.00     0.00     0.00        0
";
    assert_eq!(scores.report().to_string(), expected);
    let json = serde_json::to_string(&scores).unwrap();
    assert!(
        json.starts_with(r#"{"lenient":{"micro":{"precision":0.5,"recall":0.333"#),
        "{json}"
    );
    assert_eq!(
        serde_json::from_str::<Report>(&json).unwrap(),
        scores.report()
    );
}

#[test]
#[should_panic(expected = "1 labels were predicted for 2 words")]
fn a_missing_prediction_is_a_mistake() {
    Scores::new().add(&labels("O O"), &labels("O"));
}

fn sequence() -> impl Strategy<Value = Vec<(Label, Label)>> {
    let label = || (0..crate::label::LABELS).prop_map(Label::from_index);
    prop::collection::vec((label(), label()), 0..12)
}

proptest! {
    #[test]
    fn a_perfect_prediction_is_one(sequence in sequence()) {
        let gold: Vec<_> = sequence.into_iter().map(|(gold, _)| gold).collect();
        let report = scored(&[(gold.clone(), gold.clone())]).report();
        for (rule, table) in [(Rule::Lenient, &report.lenient), (Rule::Strict, &report.strict)] {
            let entities = chunks(&gold, rule).len();
            let one = if entities == 0 { 0.0 } else { 1.0 };
            let perfect = Score { precision: one, recall: one, f1: one, support: entities };
            prop_assert_eq!(table.micro, perfect);
        }
    }

    #[test]
    fn order_and_partition_of_tweets_do_not_matter(
        tweets in prop::collection::vec(sequence(), 0..8),
        cut: prop::sample::Index,
    ) {
        let pairs: Vec<(Vec<_>, Vec<_>)> =
            tweets.into_iter().map(|tweet| tweet.into_iter().unzip()).collect();
        let all = scored(&pairs);
        let (left, right) = pairs.split_at(cut.index(pairs.len() + 1));
        let mut merged = scored(right);
        merged.merge(&scored(left));
        prop_assert_eq!(&merged, &all);
    }
}
