use super::*;
use crate::decode::chunks::{Rule, chunks};
use crate::evaluate::mistakes::tests::{found, gold};
use crate::evaluate::scores::Scores;
use crate::label::EntityType::{Loc, Misc, Org, Per};
use crate::label::Label;

fn sample(id: Option<&str>, text: &str) -> Sample {
    Sample {
        id: id.map(str::to_owned),
        tokens: text.split(' ').map(str::to_owned).collect(),
        ..Sample::default()
    }
}

/// A page of the tweets given, with scores by their labels.
fn page_of(tweets: Vec<Judged>) -> String {
    let mut scores = Scores::new();
    let mut calibration = Calibration::default();
    for tweet in &tweets {
        let labels = |entities: Vec<crate::decode::chunks::Chunk>| {
            let mut labels = vec![Label::O; tweet.sample.tokens.len()];
            for chunk in entities {
                labels[chunk.start..chunk.end].fill(Label::I(chunk.kind));
                labels[chunk.start] = Label::B(chunk.kind);
            }
            labels
        };
        let golds = labels(tweet.gold.iter().map(|gold| gold.chunk).collect());
        let founds = tweet.found.iter().map(crate::decode::chunks::Chunk::of);
        let founds = labels(founds.collect());
        assert_eq!(chunks(&golds, Rule::Strict).len(), tweet.gold.len());
        scores.add(&golds, &founds);
        calibration.add(&golds, &tweet.found);
    }
    page(&Evaluation {
        model: "mner-<b>",
        data: "dev & co.txt".to_owned(),
        settings: vec![("images", "the tweets' own".to_owned())],
        tables: vec![("As evaluated".to_owned(), scores.report())],
        calibration,
        tweets,
    })
}

/// Insists that every tag is closed in order, and returns how often each is opened.
fn tags(page: &str) -> std::collections::BTreeMap<String, usize> {
    const VOID: [&str; 2] = ["meta", "img"];
    let (mut open, mut counts) = (Vec::new(), std::collections::BTreeMap::new());
    let page = page.strip_prefix("<!DOCTYPE html>").unwrap();
    for piece in page.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').expect("every tag ends");
        let name = tag.split([' ', '\n']).next().unwrap();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
            continue;
        }
        *counts.entry(name.to_owned()).or_insert(0) += 1;
        if !VOID.contains(&name) {
            open.push(name.to_owned());
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    counts
}

#[test]
fn a_page_has_its_sections_and_every_mistake() {
    let tweets = [
        sample(Some("17"), "Sunita is in Houston with Boeing"),
        sample(None, "nothing here"),
        sample(Some("19"), "New York City saw Jordan"),
    ];
    let judged = vec![
        Judged::new(
            &tweets[0],
            vec![
                gold(Per, 0..1, 0.97),
                gold(Loc, 3..4, 0.125),
                gold(Org, 5..6, 0.25),
            ],
            vec![found(Per, 0..1, 0.97), found(Misc, 5..6, 0.75)],
            None,
        ),
        Judged::new(&tweets[1], vec![], vec![found(Org, 1..2, 0.5)], None),
        Judged::new(
            &tweets[2],
            vec![gold(Loc, 0..3, 0.25)],
            vec![found(Loc, 0..2, 0.5), found(Per, 4..5, 0.875)],
            None,
        ),
    ];
    let page = page_of(judged);
    let tags = tags(&page);
    assert_eq!((tags["h1"], tags["main"], tags["svg"]), (1, 1, 1));
    assert_eq!(tags["section"], 5);
    for id in ["scores", "confusion", "calibration", "errors", "worst"] {
        assert!(page.contains(&format!("<section id=\"{id}\"")), "{id}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id}");
    }
    // Missed Houston; invented "here" and Jordan; Boeing of another type; New York with other ends.
    let counts: Vec<&str> = page
        .split("<summary>")
        .skip(1)
        .map(|piece| {
            let count = piece.split_once("class=\"count\">").unwrap().1;
            count.split_once('<').unwrap().0
        })
        .collect();
    assert_eq!(counts, ["1", "2", "1", "1"]);
    let missed = page.split_once("Missed names").unwrap().1;
    let missed = missed.split_once("</details>").unwrap().0;
    assert!(
        missed.contains("is in <mark>Houston</mark> with Boeing"),
        "{missed}"
    );
    assert!(missed.contains("12.5") && !missed.contains("confidence, %"));
    assert!(page.contains("tweet 2 of the data"));
    // Three tweets have mistakes, two of them three wrong entities each; a name that is right is ticked.
    let worst = page.split_once("id=\"worst\"").unwrap().1;
    assert!(worst.contains("3 of 3 tweets"));
    assert!(worst.find("17 <span").unwrap() < worst.find("19 <span").unwrap());
    assert!(worst.contains("97 % ✓") && worst.contains("75 % ✗"));
}

#[test]
fn tables_have_headers_and_the_figures_are_those_of_the_scores() {
    let tweet = sample(Some("1"), "Ada met Grace");
    let judged = Judged::new(
        &tweet,
        vec![gold(Per, 0..1, 0.9), gold(Per, 2..3, 0.4)],
        vec![found(Per, 0..1, 0.9)],
        None,
    );
    let page = page_of(vec![judged]);
    let tables = page.matches("<table").count();
    assert_eq!(page.matches("<thead>").count(), tables);
    assert!(page.matches("scope=\"col\"").count() >= 3 * tables);
    // Precision 100, recall 50, F1 66.67 over two names.
    let row = page.split_once("all types").unwrap().1;
    let row = row.split_once("</tr>").unwrap().0;
    for figure in ["100.00", "50.00", "66.67", ">2<"] {
        assert!(row.contains(figure), "{figure} is not in {row}");
    }
    assert!(page.contains("Expected calibration error <strong>10.0 %"));
    assert!(page.contains("role=\"img\"") && page.contains("<desc"));
}

#[test]
fn whatever_a_tweet_holds_is_text() {
    let nasty = "<script>alert(1)</script> \"><img src=x onerror=y> &amp; ' --> ]]>";
    let tweet = sample(Some("<i>\"'&"), nasty);
    let words = tweet.tokens.len();
    let judged = Judged::new(
        &tweet,
        vec![gold(Misc, 0..1, 0.1)],
        vec![found(Misc, 1..words, 0.9)],
        Some(ShownImage {
            path: "<no such file>".into(),
            tags: vec!["\"<b>".to_owned()],
        }),
    );
    let page = page_of(vec![judged]);
    let tags = tags(&page);
    for tag in ["script", "i", "b", "link", "img"] {
        assert!(!tags.contains_key(tag), "{tag}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("&amp;amp;"));
    assert!(!page.contains("onerror=y>"));
    assert!(page.contains("cannot be shown"));
}

#[test]
fn a_page_loads_nothing() {
    let page = page_of(Vec::new());
    assert!(page.contains("default-src 'none'"));
    for way in [
        "http://", "https://", "url(", "@import", "src=\"/", "<script", "<link",
    ] {
        assert!(!page.contains(way), "{way}");
    }
    tags(&page);
}

#[test]
fn of_many_mistakes_the_page_says_how_many_there_are() {
    let tweet = sample(Some("1"), "Ada");
    let one = || Judged::new(&tweet, vec![gold(Per, 0..1, 0.1)], vec![], None);
    let many = errors::SHOWN + 7;
    let page = page_of((0..many).map(|_| one()).collect());
    assert!(page.contains(&format!("The first {} of {many} are shown", errors::SHOWN)));
    assert_eq!(page.matches("<article").count(), worst::SHOWN);
}

#[test]
fn long_tweets_are_shown_around_the_mistake() {
    let text: Vec<String> = (0..600).map(|i| format!("w{i}")).collect();
    let tweet = sample(None, &text.join(" "));
    let judged = Judged::new(&tweet, vec![gold(Per, 300..302, 0.1)], vec![], None);
    let page = page_of(vec![judged]);
    let missed = page.split_once("Missed names").unwrap().1;
    let missed = missed.split_once("</details>").unwrap().0;
    assert!(
        missed.contains("… w288 ") && missed.contains(" w313 …"),
        "{missed}"
    );
    assert!(missed.contains("<mark>w300 w301</mark>"));
    assert!(!missed.contains("w287") && !missed.contains("w314"));
}
