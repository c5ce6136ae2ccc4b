use super::*;
use crate::tweet::reading::read;
use crate::tweet::words::split_words;

/// The words of a text, each with what it may be: `B` begin, `I` continue, `E` end an entity, `+`
/// for one that follows, and `@` or `#` for its part.
fn bounds(text: &str, sigils: Sigils) -> String {
    let words = split_words(text, sigils);
    let bounds = Bounds::new(text, &words, sigils);
    let all = words.iter().zip(&bounds.words).zip(&bounds.parts);
    let word = |((word, bound), part): ((&Word, &Bound), &Part)| {
        let mut line = format!("{}:", read(word.of(text)));
        for (is, mark) in [
            (bound.begins, 'B'),
            (bound.continues, 'I'),
            (bound.ends, 'E'),
            (bound.follows, '+'),
            (*part == Part::UserName, '@'),
            (*part == Part::Hashtag, '#'),
        ] {
            if is {
                line.push(mark);
            }
        }
        line
    };
    all.map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn nothing_is_found_in_links_and_addresses() {
    for link in [
        "https://t.co/x",
        "www.nasa.gov",
        "nasa.gov",
        "https://obama@nasa.gov/x",
        "pic.twitter.com/x",
        "john.smith@nasa.gov",
        "@user@host.tld",
    ] {
        for sigils in [Sigils::Joined, Sigils::Apart] {
            let expected = format!("a:BIE {link}: b:BIE");
            assert_eq!(bounds(&format!("a {link} b"), sigils), expected);
        }
    }
}

#[test]
fn user_names_and_hashtags_are_names_by_themselves() {
    for (sigils, text, expected) in [
        (
            Sigils::Joined,
            "a #Wittz Renae b",
            "a:BIE #Wittz:BE# Renae:BE b:BIE",
        ),
        (
            Sigils::Joined,
            "RT @nasa's x",
            "RT:BIE @nasa:BE@ 's:BE x:BIE",
        ),
        (
            Sigils::Apart,
            "a #Wittz Renae b",
            "a:BIE #:# Wittz:BE# Renae:BE b:BIE",
        ),
        (Sigils::Apart, "@nasa: x", "@:@ nasa:BE@ :: x:BIE"),
        (Sigils::Apart, "#東京 x", "#:# 東:BE# 京:BIE# x:BE"),
        (
            Sigils::Apart,
            "@\u{200B}nasa &num;x",
            "@:@ nasa:BE@ #:# x:BE#",
        ),
        (
            Sigils::Apart,
            "@nasa\u{200B}x #a&#8203;b #葛\u{E0100}飾",
            "@:@ nasa:BE@ x:BE #:# a:BE# b:BE #:# 葛:BE# 飾:BIE#",
        ),
        (
            Sigils::Apart,
            "#Paris·London· x",
            "#:# Paris:BE# ·:I# London:BIE# ·: x:BIE",
        ),
        (Sigils::Apart, "@nasa가 x", "@:@ nasa:BE@ 가:BE x:BIE"),
        (
            Sigils::Apart,
            "@ nasa # x @José #",
            "@:I nasa:BIE #:I x:BIE @:I José:BIE #:I",
        ),
        (Sigils::Apart, "@a@b", "@:@ a:BE@ @:@ b:BE@"),
        (
            Sigils::Apart,
            "the #NASA-led x",
            "the:BIE #:# NASA:BE# -: led:BIE x:BIE",
        ),
        (Sigils::Apart, "#東NASA-x", "#:# 東:BE# NASA:BIE# -: x:BIE"),
        (
            Sigils::Apart,
            "＠ｎａｓａ ＃Ｘ_ y",
            "@:@ nasa:BE@ #:# X_:BE# y:BE",
        ),
    ] {
        assert_eq!(bounds(text, sigils), expected, "{text:?}");
    }
}

#[test]
fn a_name_has_all_initials_or_none() {
    for sigils in [Sigils::Joined, Sigils::Apart] {
        assert_eq!(
            bounds("U.S.A. St. in Ph.D.", sigils),
            "U:BI .:I S:I .:I A:IE .:+ St:BIE .:+ in:BIE Ph:BI .:I D:IE .:+"
        );
        assert_eq!(
            bounds("Paris.I L.a", sigils),
            "Paris:BIE .:I I:BIE L:BIE .:I a:BIE"
        );
    }
}

#[test]
fn signs_are_no_ends_of_names() {
    assert_eq!(
        bounds("Avengers: “X” – 🇺🇸 A+ 's $5 1️⃣ #️⃣ ℹ️", Sigils::Joined),
        "Avengers:BIE ::I “:I X:BIE ”:I –:I 🇺🇸:I A:BIE +:I 's:BIE $:I 5:BIE 1️⃣:I #️⃣:I ℹ️:I"
    );
}

#[test]
fn letters_in_parentheses_are_letters() {
    assert_eq!(
        bounds("⒝⒜ 🄑🄐 (b)", Sigils::Joined),
        "⒝⒜:BIE 🄑🄐:BIE (:I b:BIE ):I"
    );
}

#[test]
fn what_is_glued_to_a_name_is_no_part_of_it() {
    for (text, expected) in [
        (
            "&ltObama&gt; a &lt b",
            "&lt:I Obama:BIE >:I a:BIE &lt:I b:BIE",
        ),
        ("_Houston_ x", "_:I Houston:BIE _:I x:BIE"),
        ("\u{2BC}Obama\u{2EE}", "\u{2BC}:I Obama:BIE \u{2EE}:I"),
        ("Joan d'Arc x", "Joan:BIE d:BI ':I Arc:BIE x:BIE"),
        ("Joan d´Arc x", "Joan:BIE d:BI ´:I Arc:BIE x:BIE"),
        (
            "Xi’an's 'x' O'",
            "Xi:BI ’:I an:BIE 's:BIE ':I x:BIE ':I O:BIE ':I",
        ),
        (
            "Obama’nın UN'in 'Obama'said",
            "Obama:BIE ’:I nın:BIE UN:BIE ':I in:BIE ':I Obama:BIE ':I said:BIE",
        ),
        ("Obama\u{1F3FB} x", "Obama:BIE \u{1F3FB}:I x:BIE"),
        ("\u{600}Obama\u{6DD}", "\u{600}:I Obama:BIE \u{6DD}:I"),
        ("Houstonpic.twitter.com/A", "Houston:BIE pic.twitter.com/A:"),
    ] {
        for sigils in [Sigils::Joined, Sigils::Apart] {
            assert_eq!(bounds(text, sigils), expected, "{text:?}");
        }
    }
}

#[test]
fn a_suffix_behind_a_comma_follows_the_name() {
    assert_eq!(
        bounds("Luther King, Jr., said", Sigils::Apart),
        "Luther:BIE King:BIE ,:+ Jr:+ .:+ ,:I said:BIE"
    );
    for (text, count) in [
        ("Acme, Inc.", 3),
        ("Acme, LLC now", 2),
        ("ACME, INC. Reports", 3),
        ("Acme, inc", 0),
        ("Luther King, Jr. Day", 3),
        ("KING, JR.", 3),
        ("J. Kohler, Sr. (second)", 3),
        ("Wainwright, III is", 2),
        ("Hey, JR Smith", 0),
        ("Hey, Jr Walker", 0),
        ("Jarrett, Sr. Advisor", 1),
        ("Ⓚⓘⓝⓖ, Ⓙⓡ. said", 3),
        ("so, Inc.", 1),
        ("#King, Jr.", 1),
        ("Paris, London", 0),
        (", Jr", 0),
    ] {
        for sigils in [Sigils::Joined, Sigils::Apart] {
            assert_eq!(bounds(text, sigils).matches(":+").count(), count, "{text}");
        }
    }
}

#[test]
fn the_dot_of_an_abbreviation_follows_it() {
    for text in [
        "U.S.",
        "L.A.",
        "U.K.",
        "D.C.",
        "N.W.A.",
        "U.S.A.",
        "Ph.D.",
        "King Jr.",
        "Wall St.",
        "KING JR.",
        "Apple Inc.",
        "(L.A.)",
        "L.A., yes",
        "L.A. Lakers",
        "St. Louis",
        "George W. said",
        "Norfolk, Va.",
        "Philadelphia, PA. now",
        "Boston, Mass., and",
        "Sammy Davis Jnr.",
        "Mme. Curie",
        "Barclays Plc.",
        "ACME LLC.",
        "Η.Π.Α.",
        "С.Ш.А.",
        "J.K. Rowling",
        "F.C. Barcelona",
        "Louis C.K.",
        "L.A.\u{200B}",
        "L.A..",
        "Robert Downey Jr... wow",
        "in the U.S.. now",
        "ACME INC.....",
        "Ｕ．Ｓ．",
        "Ｊ．Ｋ． Ｒｏｗｌｉｎｇ",
        "Ｋｉｎｇ Ｊｒ．",
        "Ⓚⓘⓝⓖ Ⓙⓡ.",
        "Kɪɴɢ Jʀ.",
        "Ⓛ.Ⓐ.",
        "U\u{336}.\u{336}S\u{336}.\u{336}",
        "Ⓝⓞⓡⓕⓞⓛⓚ, Ⓥⓐ.",
    ] {
        for sigils in [Sigils::Joined, Sigils::Apart] {
            assert_eq!(bounds(text, sigils).matches(".:+").count(), 1, "{text:?}");
        }
    }
    for text in [
        "Obama.",
        "Cardi B. Yes",
        "Malcolm X.",
        "L.A",
        "wow...",
        "Obama..",
        "George W... x",
        "#St... #U.S...",
        "L . A .",
        "I am in Paris.",
        "#St. @Jr.",
        "J. Cole",
        "will.i.am.",
        "5.",
        "Washington DC.",
        "I live in La.",
        "We went to Mass.",
        "Hey, Mo.",
        "sand, Mass.",
        "...",
        "stop.",
    ] {
        for sigils in [Sigils::Joined, Sigils::Apart] {
            assert_eq!(bounds(text, sigils).matches(".:+").count(), 0, "{text:?}");
        }
    }
}
