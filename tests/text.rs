//! What a user types, pastes or reads from Twitter's API, on a model of the page: names are found whole, where they stand,
//! and nothing is a name that is none.

use burn::tensor::Device;
use mner_core::bundle::Compute;
use mner_core::decode::entities::Entity;
use mner_core::packing::folder;
use mner_core::recognizer::{Recognition, Recognizer};
use std::path::Path;

fn recognizer() -> Recognizer {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../www/models/text");
    let files = folder::read(&path).unwrap();
    pollster::block_on(Recognizer::load(files, &Device::flex(), Compute::Device)).unwrap()
}

fn recognize(recognizer: &Recognizer, texts: &[&str]) -> Vec<Recognition> {
    let found = pollster::block_on(recognizer.recognize_all(texts)).unwrap();
    for (text, found) in texts.iter().zip(&found) {
        let units: Vec<u16> = text.encode_utf16().collect();
        for entity in &found.entities {
            assert_eq!(&text[entity.bytes[0]..entity.bytes[1]], entity.text);
            let [start, end] = entity.chars;
            let chars: String = text.chars().skip(start).take(end - start).collect();
            assert_eq!(chars, entity.text);
            let units = &units[entity.utf16[0]..entity.utf16[1]];
            assert_eq!(String::from_utf16(units).unwrap(), entity.text);
        }
    }
    found
}

fn names(found: &Recognition) -> Vec<String> {
    let name = |e: &Entity| format!("{} {}", e.kind.name(), e.text);
    found.entities.iter().map(name).collect()
}

#[test]
fn a_text_is_read_as_its_reader_reads_it() {
    // A text, and one that says the same; the names of the first in the words of the second.
    let same = [
        ("Barack Obama\u{FE0F} in Paris", "Barack Obama in Paris"),
        ("Obama\u{FE0F} in Paris", "Obama in Paris"),
        ("Joe \u{301} Biden in Paris", "Joe Biden in Paris"),
        ("Joe \u{FE0F} Biden in Paris", "Joe Biden in Paris"),
        ("Barack\u{200B} Obama in Paris", "Barack Obama in Paris"),
        (
            "Bar\u{200B}ack \u{2060}Obama in Pa\u{AD}ris",
            "Barack Obama in Paris",
        ),
        (
            "\u{2067}Barack \u{200F}Obama\u{2069} in \u{202A}Paris\u{202C}",
            "Barack Obama in Paris",
        ),
        (
            "\u{FEFF}Barack\u{E0041} Oba\u{200D}ma in Par\u{200C}is\u{0}",
            "Barack Obama in Paris",
        ),
        (
            "Shaquille O&#39;Neal at &quot;NASA&quot;",
            "Shaquille O'Neal at \"NASA\"",
        ),
        (
            "Shaquille O&#x27;Neal &amp; Obama",
            "Shaquille O'Neal & Obama",
        ),
        (
            "Shaquille O&amp;#39;Neal&nbsp;in Paris",
            "Shaquille O'Neal in Paris",
        ),
        ("Beyonc&eacute; in Paris", "Beyoncé in Paris"),
        ("Beyonce\u{301} in Paris", "Beyoncé in Paris"),
        ("𝓑𝓪𝓻𝓪𝓬𝓴 𝓞𝓫𝓪𝓶𝓪 at ＮＡＳＡ", "Barack Obama at NASA"),
        ("ⒷⒶⓇⒶⒸⓀ ⓄⒷⒶⓂⒶ at ᴺᴬᵀᴼ", "BARACK OBAMA at NATO"),
        ("1️⃣ #️⃣ ℹ️ ©️ Obama 👩🏽‍🚀", "1️⃣ #️⃣ ℹ️ ©️ Obama 👩🏽‍🚀"),
        (
            "Barack\u{2064} Obama met Angela\u{AD} Merkel in Pa\u{200D}ris",
            "Barack Obama met Angela Merkel in Paris",
        ),
        (
            "Bar\u{FE0E}ack Obama\u{E0101} met \u{2068}Angela Merkel\u{2069} in\u{200E} Paris\u{61C}",
            "Barack Obama met Angela Merkel in Paris",
        ),
        (
            "Barack\u{180E} Obama\u{34F} met Angela\u{200B} \u{308}Merkel in \u{202B}Paris\u{202C}",
            "Barack Obama met Angela Merkel in Paris",
        ),
        (
            "Shaquille O&#8217;Neal &ndash; NASA",
            "Shaquille O’Neal – NASA",
        ),
        (
            "Sin&eacute;ad O&rsquo;Connor in D&uuml;sseldorf",
            "Sinéad O’Connor in Düsseldorf",
        ),
        (
            "Obama&nbsp;&mdash;&nbsp;&ldquo;Paris&rdquo;",
            "Obama — “Paris”",
        ),
        ("Beyonc&eacute Knowles in Paris", "Beyoncé Knowles in Paris"),
        ("𝕭𝖆𝖗𝖆𝖈𝖐 𝕺𝖇𝖆𝖒𝖆 at ℕ𝔸𝕊𝔸", "Barack Obama at NASA"),
        (
            "Ｓｈａｑｕｉｌｌｅ Ｏ＇Ｎｅａｌ at ＮＡＳＡ",
            "Shaquille O'Neal at NASA",
        ),
        (
            "Ａ＄ＡＰ Ｒｏｃｋｙ in the Ｕ．Ｓ． now",
            "A$AP Rocky in the U.S. now",
        ),
        ("Bᴀʀᴀᴄᴋ Oʙᴀᴍᴀ at 🄽🄰🅂🄰", "Barack Obama at NASA"),
        ("🅑🅐🅡🅐🅒🅚 🅞🅑🅐🅜🅐 at ＮＡＳＡ", "BARACK OBAMA at NASA"),
        (
            "B\u{336}a\u{336}r\u{336}a\u{336}c\u{336}k\u{336} Obama at N\u{20DD}A\u{20DD}S\u{20E3}A\u{20E3}",
            "Barack Obama at NASA",
        ),
        (
            "B\u{334}\u{341}a\u{488}rack&nbspO\u{352}\u{327}\u{489}bama in Par\u{34F}i\u{360}s",
            "Barack Obama in Paris",
        ),
    ];
    let recognizer = recognizer();
    let texts: Vec<&str> = same.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let found = recognize(&recognizer, &texts);
    for ((given, plain), found) in same.iter().zip(found.chunks(2)) {
        println!("{given:?}: {:?}, {:?}", names(&found[0]), names(&found[1]));
        assert!(!found[1].entities.is_empty(), "{plain:?}");
        assert_eq!(
            found[0].entities.len(),
            found[1].entities.len(),
            "{given:?}"
        );
        for (a, b) in found[0].entities.iter().zip(&found[1].entities) {
            let words = |text: &str| {
                let folded = mner_core::tweet::fold(text).into_owned();
                folded.split_whitespace().collect::<Vec<_>>().join(" ")
            };
            assert_eq!(words(&a.text), words(&b.text), "{given:?}");
            assert_eq!(a.kind, b.kind, "{given:?}");
            assert!((a.confidence - b.confidence).abs() < 1e-5, "{given:?}");
        }
    }
}

#[test]
fn names_are_whole_and_nothing_else_is_a_name() {
    let table: [(&str, &[&str]); 29] = [
        (
            "Shaquille O&#39;Neal is great",
            &["PER Shaquille O&#39;Neal"],
        ),
        ("mail john.smith@nasa.gov about Paris", &["LOC Paris"]),
        ("@user@host.tld is in Paris", &["LOC Paris"]),
        (
            "Obama in Seoul https://t.co/AbC123서울에서",
            &["PER Obama", "LOC Seoul"],
        ),
        ("I live in L.A. now", &["LOC L.A."]),
        ("I live in the U.S. now", &["LOC U.S."]),
        ("I live in the U.K. now", &["LOC U.K."]),
        ("I live in L.A.", &["LOC L.A."]),
        (
            "Martin Luther King Jr. in Washington D.C. today",
            &["PER Martin Luther King Jr.", "LOC Washington D.C."],
        ),
        (
            "Watching Avengers: Endgame tonight",
            &["MISC Avengers: Endgame"],
        ),
        ("new A$AP Rocky album", &["PER A$AP Rocky"]),
        (
            "AC/DC are live in London tonight",
            &["ORG AC/DC", "LOC London"],
        ),
        ("Jay-Z in Paris", &["PER Jay-Z", "LOC Paris"]),
        ("- Obama in Paris", &["PER Obama", "LOC Paris"]),
        (
            "Martin Luther King, Jr. in Paris today",
            &["PER Martin Luther King, Jr.", "LOC Paris"],
        ),
        (
            "write to mailto:x@nasa.gov?subject=Obama from Paris",
            &["LOC Paris"],
        ),
        ("Obama in Paris bit.ly/Obama2", &["PER Obama", "LOC Paris"]),
        ("@nasa.bsky.social is in Paris", &["LOC Paris"]),
        ("Barack Obamapic.twitter.com/AbCd12", &["PER Barack Obama"]),
        ("Barack Obama\u{2BC}s house", &["PER Barack Obama"]),
        (
            "Barack Obama\u{1F3FB} met Merkel",
            &["PER Barack Obama", "PER Merkel"],
        ),
        ("_Houston_ is hot", &["LOC Houston"]),
        ("It is hot in _Houston_", &["LOC Houston"]),
        ("visit nasa.gov today", &[]),
        (
            "RT @nasahttp://t.co/x hi from Paris",
            &["ORG nasa", "LOC Paris"],
        ),
        ("&ltObama&gt; in Paris", &["PER Obama", "LOC Paris"]),
        ("the #NASA-led mission in Paris", &["ORG NASA", "LOC Paris"]),
        ("see https://obama@nasa.gov/x now", &[]),
        ("Robert Downey Jr... wow", &["PER Robert Downey Jr."]),
    ];
    let recognizer = recognizer();
    let texts: Vec<&str> = table.iter().map(|row| row.0).collect();
    let found = recognize(&recognizer, &texts);
    let mut wrong = Vec::new();
    for ((text, expected), found) in table.iter().zip(&found) {
        let names = names(found);
        println!("{text:?}: {names:?}");
        if names != *expected {
            wrong.push((text, names));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn user_names_and_hashtags_say_so_and_are_whole() {
    let recognizer = recognizer();
    let texts = [
        "So proud of @warriors and @nba_fans! #Wittzparty Renae in #Boeing",
        "RT @BarackObama: hello from Paris #Obama's",
        "Kansas City #Royals beat the Dodgers",
    ];
    let mut seen = [0, 0];
    for (text, found) in texts.iter().zip(recognize(&recognizer, &texts)) {
        println!("{text:?}: {:?}", names(&found));
        for entity in &found.entities {
            let before = text[..entity.bytes[0]].chars().last();
            assert_eq!(entity.user_name, before == Some('@'), "{text:?}");
            assert_eq!(entity.hashtag, before == Some('#'), "{text:?}");
            assert!(!entity.text.contains(['@', '#']), "{text:?}");
            let after = text[entity.bytes[1]..].chars().next();
            if entity.user_name || entity.hashtag {
                assert!(!entity.text.contains(' '), "{text:?}");
                assert!(
                    !after.is_some_and(|c| c.is_alphanumeric() || c == '_'),
                    "{text:?}"
                );
                seen[usize::from(entity.hashtag)] += 1;
            }
            let json = serde_json::to_value(entity).unwrap();
            assert_eq!(json.get("user_name").is_some(), entity.user_name);
            assert_eq!(json.get("hashtag").is_some(), entity.hashtag);
        }
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}
