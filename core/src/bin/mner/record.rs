//! One line of a JSONL stream: the tweet in it, its images, and the line as it came.

use mner_core::formats::annotations::no_value::{in_line, no_value};
use mner_core::formats::levels::Levels;
use mner_core::formats::lone_surrogates::without_lone_surrogates;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fmt;

/// Levels that are read of a member: more than any path to a tweet has.
const LEVELS: usize = 32;
/// Most images a tweet has.
pub const MOST_IMAGES: usize = 4;
/// What the names of the answer's members begin with where the object has some of them already.
const PREFIX: &str = "mner_";
/// The names an answer may have: all of them get out of the way together, so that they are alike on every line.
const ANSWERS: [&str; 6] = [
    "entities",
    "read_field",
    "picture",
    "image_read",
    "image_note",
    "image_error",
];

/// A JSON object that came in. It goes out byte for byte as it was, with the answer behind its own members.
pub struct Record {
    /// From its first brace to its last.
    line: String,
    names: HashSet<String>,
    /// The members that are read.
    values: Map<String, Value>,
}

/// The tweet of a record.
#[derive(Debug, PartialEq)]
pub struct Tweet<'a> {
    pub text: String,
    /// Where it stood, if not under `text`.
    pub field: Option<&'a str>,
}

impl Record {
    /// Reads a line; the tweet is later looked for under `field`.
    pub fn parse(line: &[u8], field: &str) -> Result<Self, String> {
        let line = str::from_utf8(line)
            .map_err(|e| {
                let column = e.valid_up_to() + 1;
                format!("not UTF-8 (byte {column}); save the input as UTF-8")
            })?
            .trim_ascii()
            .trim_start_matches('\u{feff}')
            .trim_ascii();
        if !line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok() {
            return Err(match line.starts_with('[') {
                true => format!(
                    "not a JSON object; expected {{\"{field}\": \"...\"}} on a line; `jq -c '.[]' FILE` cuts an array into lines"
                ),
                false => no_object(field),
            });
        }
        let mended = without_lone_surrogates(line.as_bytes());
        let mut json = serde_json::Deserializer::from_slice(&mended);
        let read = Members { field }
            .deserialize(&mut json)
            .and_then(|read| json.end().map(|()| read));
        let (names, values) = read.map_err(|e| not_json(line, field, &e))?;
        Ok(Self {
            // As it came, half emoji included.
            line: line.to_owned(),
            names,
            values,
        })
    }

    /// The tweet under `field`. Where that is `text` and the API has cut it, the whole one is preferred: that of `extended_tweet`
    /// in an object that says it is truncated, that of `note_tweet` in one that has it.
    pub fn tweet<'a>(&self, field: &'a str) -> Result<Tweet<'a>, String> {
        let truncated = self.values.get("truncated") == Some(&Value::Bool(true));
        let whole = ["extended_tweet.full_text", "note_tweet.text"]
            .into_iter()
            .filter(|name| field == "text" && (truncated || name.starts_with("note")))
            .find_map(|name| Some((name, self.member(name)?.as_str()?)));
        if let Some((name, text)) = whole {
            return Ok(Tweet {
                text: text.to_owned(),
                field: Some(name),
            });
        }
        match self.member(field) {
            Some(Value::String(text)) => Ok(Tweet {
                text: text.clone(),
                field: Some(field).filter(|field| *field != "text"),
            }),
            Some(_) => Err(format!("\"{field}\" is not a string")),
            None => {
                let other = ["text", "full_text", "tweet", "content", "body"]
                    .into_iter()
                    .find(|name| self.names.contains(*name));
                let hint = other.map_or(String::new(), |name| {
                    format!("; if \"{name}\" is the tweet, give --field {name}")
                });
                Err(format!("there is no \"{field}\"{hint}"))
            }
        }
    }

    /// The member with this name, or at this path of names with dots between them.
    fn member(&self, field: &str) -> Option<&Value> {
        self.values.get(field).or_else(|| {
            let mut path = field.split('.');
            let first = self.values.get(path.next()?)?;
            path.try_fold(first, |value, name| value.get(name))
        })
    }

    /// The paths of its images, and what is wrong with how they are given.
    pub fn images(&self) -> (Vec<&str>, Option<String>) {
        let wrong =
            || "\"image\" is neither the path of a file nor a list of such paths".to_owned();
        match self.values.get("image") {
            None | Some(Value::Null) => (Vec::new(), None),
            Some(Value::String(path)) if path.is_empty() => (Vec::new(), None),
            Some(Value::String(path)) => (vec![path], None),
            Some(Value::Array(list)) => {
                let paths: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
                let error = if paths.len() < list.len() {
                    Some(wrong())
                } else if paths.len() > MOST_IMAGES {
                    Some(format!(
                        "\"image\" names {} files; the first {MOST_IMAGES} are looked at",
                        paths.len()
                    ))
                } else {
                    None
                };
                (paths.into_iter().take(MOST_IMAGES).collect(), error)
            }
            Some(_) => (Vec::new(), Some(wrong())),
        }
    }

    /// Its members without the tweet, if that stands under `field` alone; a sentence where they cannot be read.
    pub fn others(&self, field: &str) -> Result<Map<String, Value>, String> {
        let mended = without_lone_surrogates(self.line.as_bytes());
        let read = serde_json::from_slice::<Map<String, Value>>(&mended);
        let mut members =
            read.map_err(|e| format!("its members beside the tweet are not kept: {e}"))?;
        members.remove(field);
        Ok(members)
    }

    /// The record with `members` behind its own. Their names begin with `prefix` if one is given, else with nothing, or
    /// with `mner_` in an object that has one of the names itself: nothing that came in is overwritten.
    pub fn answered(&self, members: &Map<String, Value>, prefix: Option<&str>) -> String {
        let own = members.keys().map(String::as_str);
        let names: Vec<&str> = match members.contains_key("error") {
            true => own.collect(),
            false => own.chain(ANSWERS).collect(),
        };
        let taken = |prefix: &str| {
            let mut names = names.iter().map(|name| format!("{prefix}{name}"));
            names.any(|name| self.names.contains(&name))
        };
        let mut prefix = prefix.unwrap_or_default().to_owned();
        while taken(&prefix) {
            prefix.push_str(PREFIX);
        }
        let mut out = self.line[..self.line.len() - 1].to_owned();
        for (i, (name, value)) in members.iter().enumerate() {
            if i > 0 || !self.names.is_empty() {
                out.push(',');
            }
            out.push_str(&Value::String(format!("{prefix}{name}")).to_string());
            out.push(':');
            out.push_str(&value.to_string());
        }
        out.push('}');
        out
    }
}

/// Reads what is asked for and passes over the rest, which is only copied: its numbers may be larger than any type here.
struct Members<'a> {
    field: &'a str,
}

impl Members<'_> {
    fn wanted(&self, name: &str) -> bool {
        let first = self.field.split('.').next().unwrap_or_default();
        name == self.field
            || name == first
            || ["image", "truncated", "extended_tweet", "note_tweet"].contains(&name)
    }
}

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = (HashSet<String>, Map<String, Value>);

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = (HashSet<String>, Map<String, Value>);

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut names, mut values) = (HashSet::new(), Map::new());
        while let Some(name) = map.next_key::<String>()? {
            if self.wanted(&name) {
                values.insert(name.clone(), map.next_value_seed(Levels(LEVELS))?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            names.insert(name);
        }
        Ok((names, values))
    }
}

/// The sentence for a line that is no JSON, with the usual reasons by name.
fn not_json(line: &str, field: &str, error: &serde_json::Error) -> String {
    if let Some(word) = no_value(line, error.column()) {
        return format!("not JSON: {word}");
    }
    if line.starts_with("{'") {
        return "not JSON: its names are in single quotes, as Python prints them; write it with json.dumps".to_owned();
    }
    if line == "[" || line.starts_with("[{") || line == "{" {
        return "not JSON: one object a line is expected, this is a part of one; `jq -c '.[]' FILE` cuts an array into lines, \
                `jq -c . FILE` puts an object on one"
            .to_owned();
    }
    if line.ends_with("},") || line.ends_with("}]") {
        return "not JSON: one object a line is expected, this one stands in an array; `jq -c '.[]' FILE` cuts an array into lines"
            .to_owned();
    }
    if !line.starts_with('{') {
        return no_object(field);
    }
    let error = in_line(error);
    if error.contains("trailing characters") {
        return format!(
            "not JSON: one object a line is expected, and this line goes on behind it ({error}); `jq -c . FILE` puts each on its own"
        );
    }
    format!("not JSON: {error}")
}

/// The sentence for a line of a text file or a table.
fn no_object(field: &str) -> String {
    format!(
        "not a JSON object; each line must be one with \"{field}\": `jq -Rc '{{{field}: .}}' tweets.txt` makes them of a text \
         file with a tweet a line, `mlr --icsv --ojsonl cat tweets.csv` of a table"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn members(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_object_goes_out_as_it_came() {
        let answer = members(json!({"entities": []}));
        for (line, expected) in [
            (r#"{"text":"a"}"#, r#"{"text":"a","entities":[]}"#),
            (
                r#" { "z": 1.10, "text": "a", "a": 123456789012345678901234567890, "z": 1E400 } "#,
                r#"{ "z": 1.10, "text": "a", "a": 123456789012345678901234567890, "z": 1E400 ,"entities":[]}"#,
            ),
            (
                r#"{"text":"a","entities":{"urls":[]}}"#,
                r#"{"text":"a","entities":{"urls":[]},"mner_entities":[]}"#,
            ),
            (
                r#"{"text":"a","picture":1,"mner_image_error":2}"#,
                r#"{"text":"a","picture":1,"mner_image_error":2,"mner_mner_entities":[]}"#,
            ),
            (
                r#"{"text":"a","other":"\ud83d"}"#,
                r#"{"text":"a","other":"\ud83d","entities":[]}"#,
            ),
            (
                "\u{feff}{\"text\":\"a\"}\r",
                r#"{"text":"a","entities":[]}"#,
            ),
        ] {
            let record = Record::parse(line.as_bytes(), "text").expect(line);
            assert_eq!(record.tweet("text").unwrap().text, "a");
            assert_eq!(record.answered(&answer, None), expected);
        }
        let plain = Record::parse(br#"{"text":"a"}"#, "text").unwrap();
        assert_eq!(
            plain.answered(&answer, Some("ner.")),
            r#"{"text":"a","ner.entities":[]}"#
        );
        let deep = [
            &br#"{"text":"a","deep":"#[..],
            &[b'['; 100_000],
            &[b']'; 100_000],
            b"}",
        ]
        .concat();
        let deep = Record::parse(&deep, "text").unwrap();
        assert!(
            deep.answered(&answer, None)
                .ends_with(r#"]]],"entities":[]}"#)
        );
        for name in ["note_tweet", "extended_tweet", "image", "truncated"] {
            let line = format!(
                r#"{{"text":"a","truncated":true,"{name}":{}{}}}"#,
                "[".repeat(200),
                "]".repeat(200)
            );
            let record = Record::parse(line.as_bytes(), "text").expect(name);
            assert_eq!(record.tweet("text").unwrap().text, "a");
        }
        let empty = Record::parse(b"{ }", "text").unwrap();
        assert_eq!(empty.answered(&answer, None), r#"{ "entities":[]}"#);
    }

    #[test]
    fn the_whole_tweet_is_found() {
        let tweet = |line: &str, field: &str| {
            let record = Record::parse(line.as_bytes(), field)?;
            let tweet = record.tweet(field)?;
            Ok::<_, String>((tweet.text, tweet.field.map(str::to_owned)))
        };
        let truncated = r#"{"text":"cut…","truncated":true,"extended_tweet":{"full_text":"whole"},"full_text":"other"}"#;
        let read = |text: &str, field: &str| Ok((text.to_owned(), Some(field.to_owned())));
        let whole = read("whole", "extended_tweet.full_text");
        assert_eq!(tweet(truncated, "text"), whole);
        assert_eq!(tweet(truncated, "full_text"), read("other", "full_text"));
        assert_eq!(
            tweet(truncated, "extended_tweet.full_text").unwrap().0,
            "whole"
        );
        let not = truncated.replace("true", "false");
        assert_eq!(tweet(&not, "text").unwrap(), ("cut…".to_owned(), None));
        let lost = r#"{"text":"cut…","truncated":true,"extended_tweet":null}"#;
        assert_eq!(tweet(lost, "text").unwrap().0, "cut…");
        let note = r#"{"text":"cut…","note_tweet":{"text":"whole"}}"#;
        assert_eq!(tweet(note, "text"), read("whole", "note_tweet.text"));
        let none = note.replace(r#"{"text":"whole"}"#, "null");
        assert_eq!(tweet(&none, "text").unwrap(), ("cut…".to_owned(), None));
        assert_eq!(tweet(r#"{"a.b":"x","a":{"b":"y"}}"#, "a.b").unwrap().0, "x");
        assert!(
            tweet(r#"{"full_text":"x"}"#, "text")
                .unwrap_err()
                .contains("--field full_text")
        );
        assert_eq!(tweet(r#"{"text":"x","text":"y"}"#, "text").unwrap().0, "y");
    }

    #[test]
    fn images_are_named_in_every_form() {
        let images = |value: Value| {
            let line = json!({"text": "a", "image": value}).to_string();
            let record = Record::parse(line.as_bytes(), "text").unwrap();
            let (paths, error) = record.images();
            (paths.join(" "), error.is_some())
        };
        assert_eq!(images(json!("a.jpg")), ("a.jpg".to_owned(), false));
        assert_eq!(images(json!(["a", "b"])), ("a b".to_owned(), false));
        assert_eq!(
            images(json!(["a", "b", "c", "d", "e"])),
            ("a b c d".to_owned(), true)
        );
        for none in [json!(null), json!(""), json!([])] {
            assert_eq!(images(none), (String::new(), false));
        }
        assert_eq!(images(json!(["a", 1])), ("a".to_owned(), true));
        assert_eq!(images(json!({"url": "a"})), (String::new(), true));
    }

    #[test]
    fn what_is_no_object_is_said_to_be_so() {
        for (line, sentence) in [
            (&br#"{"text": "a", "score": NaN}"#[..], "NaN (column"),
            (br#"{"text": "a", "score":NaN, "b": 1}"#, "NaN (column"),
            (br#"{"text": "a", "score": -Infinity}"#, "-Infinity (column"),
            (br#"{"text": "a", "score": Infinity}"#, "Infinity (column"),
            (br#"{"text": NaN}"#, "NaN (column"),
            (br#"{"text": "a", "score": nan}"#, "nan (column"),
            (br#"{"text": "a", "score":undefined}"#, "undefined (column"),
            (br#"{"text": "a"},"#, "cuts an array"),
            (br#"{"text": "a" "info": 1}"#, "not JSON: expected"),
            (br#"{"text": "a", "image": None}"#, "None (column"),
            (b"{'text': 'a'}", "single quotes"),
            (b"[", "jq -c"),
            (b"{", "jq -c"),
            (b"[1]", "not a JSON object"),
            (br#"[{"text": "a"}, {"text": "b"}]"#, "cuts an array"),
            (
                br#"{"text": "a"}{"text": "b"}"#,
                "(trailing characters at column 14); `jq -c . FILE`",
            ),
            (b"{\"text\": \"a\"}\r{\"text\": \"b\"}", "goes on behind it"),
            (br#"{"text": "a",}"#, "trailing comma"),
            (b"\"a\"", "not a JSON object"),
            (b"Obama in Paris", "jq -Rc '{text: .}' tweets.txt"),
            (b"id,text", "each line must be one with \"text\""),
            (b"2024", "mlr --icsv"),
            (b"[RT] Obama", "jq -Rc"),
            (b"{\"text\": \"a\"} x", "trailing"),
            (b"{\"text\": \"caf\xe9\"}", "not UTF-8 (byte 14)"),
        ] {
            let error = Record::parse(line, "text").err().expect(sentence);
            assert!(error.contains(sentence), "{error}");
        }
    }
}
