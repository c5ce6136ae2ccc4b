//! Label Studio's JSON: tasks with their annotations and predictions, and the shorter JSON_MIN.
//!
//! `[{"id": 1, "data": {"text": ".."}, "annotations": [{"result": [{"from_name", "to_name", "type": "labels", "value": {"start",
//! "end", "text", "labels": ["PER"]}}]}], "predictions": [..]}]`. The regions of every `<Labels>` control are read; the
//! control's name is the span's layer. Offsets are code points, to which its front end converts.

use crate::formats::annotations::document::{Document, Span};
use crate::formats::annotations::exchange::Reading;
use crate::formats::annotations::fault::{AnnotationError, Loss};
use crate::formats::annotations::format::Format;
use crate::formats::annotations::offsets::{Offsets, Unit};
use crate::formats::annotations::record::{
    Members, about, beside, number, object, place_of, plain, records, said, shown, stretch,
};
use serde_json::{Map, Value, json};

const REGION: &str = "a region {\"value\": {\"start\", \"end\", \"labels\": [..]}}";
/// What a control of ours is called.
const CONTROL: &str = "label";

/// A region before it is known which text it is of.
struct Region {
    start: u64,
    end: u64,
    text: Option<String>,
    labels: Vec<String>,
    score: Option<f64>,
    layer: Option<String>,
}

pub(super) fn read(text: &str, unit: Unit, reading: &mut Reading) -> Result<(), AnnotationError> {
    for record in records(text)? {
        let mut task = record.object(Format::LabelStudio.shape())?;
        let (data, regions, model) = match task.take(&["data"]) {
            Some(Value::Object(data)) => {
                let (regions, model) = annotated(&mut task, &mut reading.losses)?;
                task.map.retain(|name, _| name == "id");
                if let Some(id) = task.map.remove("id")
                    && !data.contains_key("id")
                {
                    task.map.insert("id".to_owned(), id);
                }
                task.map.extend(data);
                (task, regions, model)
            }
            Some(other) => return Err(task.shape(&other, Format::LabelStudio.shape())),
            None => {
                let regions = shortened(&mut task)?;
                (task, regions, None)
            }
        };
        let document = document(data, regions, model, unit)?;
        reading.documents.push(document);
    }
    Ok(())
}

/// The regions of the first annotation that was not cancelled, else of the first prediction, with its model.
fn annotated(
    task: &mut Members,
    losses: &mut Vec<Loss>,
) -> Result<(Vec<Region>, Option<String>), AnnotationError> {
    let list = |value: Option<Value>| match value {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    let mut annotations = list(task.take(&["annotations", "completions"]));
    annotations.retain(|one| one.get("was_cancelled") != Some(&Value::Bool(true)));
    let predictions = list(task.take(&["predictions"]));
    let several = annotations.len() > 1 || (annotations.is_empty() && predictions.len() > 1);
    if several {
        let what = "of several annotations of one task the first is read";
        beside(losses, &task.place, what);
    }
    let others: Vec<&str> = task.map.keys().map(String::as_str).collect();
    let others: Vec<&str> = others.into_iter().filter(|name| *name != "id").collect();
    if !others.is_empty() {
        let what = format!(
            "what is said of a task beside its data is not kept ({})",
            others.join(", ")
        );
        let said = |loss: &Loss| matches!(loss, Loss::Beside { what, .. } if what.starts_with("what is said of a task"));
        if !losses.iter().any(said) {
            beside(losses, &task.place, &what);
        }
    }
    let (one, model) = match (annotations.first(), predictions.first()) {
        (Some(annotation), _) => (annotation, None),
        (None, Some(prediction)) => {
            let version = prediction.get("model_version").and_then(Value::as_str);
            (prediction, Some(version.unwrap_or("prediction").to_owned()))
        }
        (None, None) => return Ok((Vec::new(), None)),
    };
    let result = match one.get("result") {
        None | Some(Value::Null) => return Ok((Vec::new(), model)),
        Some(Value::Array(result)) => result,
        Some(other) => return Err(task.shape(other, "a list of regions under \"result\"")),
    };
    let mut regions = Vec::with_capacity(result.len());
    for item in result {
        match item.get("type").and_then(Value::as_str) {
            None | Some("labels") => {}
            Some(kind @ ("hypertextlabels" | "paragraphlabels" | "timeserieslabels")) => {
                let value = item.get("value");
                let text = value
                    .and_then(|value| value.get("text"))
                    .and_then(Value::as_str);
                losses.push(Loss::Span {
                    place: task.place.clone(),
                    kind: kind.to_owned(),
                    text: text.unwrap_or_default().to_owned(),
                    why: "is not of plain text, whose offsets alone are read",
                });
                continue;
            }
            Some(kind) => {
                let what = format!("results of the type {kind:?} are not read");
                beside(losses, &task.place, &what);
                continue;
            }
        }
        let value = item.get("value").unwrap_or(&Value::Null);
        let mut found = region(value).ok_or_else(|| task.shape(item, REGION))?;
        if found.labels.is_empty() {
            beside(losses, &task.place, "regions without a label are not read");
            continue;
        }
        found.score = item.get("score").and_then(Value::as_f64);
        let layer = item.get("from_name").and_then(Value::as_str);
        found.layer = layer.filter(|name| *name != CONTROL).map(str::to_owned);
        regions.push(found);
    }
    Ok((regions, model))
}

fn region(value: &Value) -> Option<Region> {
    let labels = match value.get("labels") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list
            .iter()
            .map(|label| label.as_str().map(str::to_owned))
            .collect::<Option<_>>()?,
        Some(_) => return None,
    };
    Some(Region {
        start: number(value.get("start")?)?,
        end: number(value.get("end")?)?,
        text: value.get("text").and_then(Value::as_str).map(str::to_owned),
        labels,
        score: None,
        layer: None,
    })
}

/// The regions of a record of JSON_MIN: every member that is a list of them, by the name of its control.
fn shortened(task: &mut Members) -> Result<Vec<Region>, AnnotationError> {
    let is_region = |value: &Value| value.get("labels").is_some() && value.get("start").is_some();
    let controls: Vec<String> = task
        .map
        .iter()
        .filter(|(_, value)| {
            let list = value.as_array();
            list.is_some_and(|list| !list.is_empty() && list.iter().all(is_region))
        })
        .map(|(name, _)| name.clone())
        .collect();
    let mut regions = Vec::new();
    for control in controls {
        for item in task.list(&[control.as_str()], REGION)? {
            let mut found = region(&item).ok_or_else(|| task.shape(&item, REGION))?;
            found.layer = (control != CONTROL).then(|| control.clone());
            regions.push(found);
        }
    }
    Ok(regions)
}

fn document(
    mut data: Members,
    regions: Vec<Region>,
    model: Option<String>,
    unit: Unit,
) -> Result<Document, AnnotationError> {
    let name = text_member(&data, &regions, unit)?;
    let text = data.text(&[name.as_str()], "a text in the task's data")?;
    let offsets = Offsets::new(&text, unit);
    let mut spans = Vec::with_capacity(regions.len());
    for region in &regions {
        let Region { start, end, .. } = *region;
        let kind = region.labels.join(", ");
        let words = region.text.as_deref();
        let bytes = said(&offsets, &data.place, &kind, (start, end), words)?;
        for label in &region.labels {
            spans.push(Span {
                confidence: region.score,
                layer: region.layer.clone(),
                ..Span::new(bytes.clone(), label)
            });
        }
    }
    let mut document = data.document(text);
    document.spans = spans;
    document.model = model.or(document.model);
    Ok(document)
}

/// The member that is the text: `text`, else the one in which the regions are what they say, else the only one.
fn text_member(data: &Members, regions: &[Region], unit: Unit) -> Result<String, AnnotationError> {
    if data.map.get("text").is_some_and(Value::is_string) {
        return Ok("text".to_owned());
    }
    let texts = data.map.iter().filter_map(|(name, value)| {
        let text = value.as_str()?;
        (!matches!(name.as_str(), "id" | "image" | "model")).then_some((name, text))
    });
    let texts: Vec<(&String, &str)> = texts.collect();
    let fits = |text: &str| {
        let offsets = Offsets::new(text, unit);
        regions.iter().all(|region| {
            let bytes = stretch(&offsets, "", "", (region.start, region.end));
            let found = bytes.ok().and_then(|bytes| text.get(bytes));
            found.is_some_and(|found| {
                let expected = region.text.as_deref();
                expected.is_none_or(|expected| plain(expected) == plain(found))
            })
        })
    };
    let mut fitting = texts.iter().filter(|(_, text)| fits(text));
    match (fitting.next(), fitting.next(), texts.as_slice()) {
        (Some((name, _)), None, _) | (_, _, [(name, _)]) => Ok((*name).clone()),
        _ => Err(AnnotationError::Shape {
            place: data.place.clone(),
            found: shown(&Value::Object(data.map.clone())),
            expected: "the text under \"text\", or in the only member that holds one",
        }),
    }
}

pub(super) fn write(documents: &[Document], unit: Unit, losses: &mut Vec<Loss>) -> String {
    let mut lines = Vec::with_capacity(documents.len());
    for document in documents {
        let offsets = Offsets::new(&document.text, unit);
        let mut result = Vec::with_capacity(document.spans.len());
        for span in &document.spans {
            let Some((start, end)) = place_of(&offsets, document, span, losses) else {
                continue;
            };
            let mut region = json!({
                "id": format!("r{}", result.len() + 1),
                "from_name": span.layer.as_deref().unwrap_or(CONTROL),
                "to_name": "text",
                "type": "labels",
                "value": {"start": start, "end": end, "text": document.of(span), "labels": [span.kind]},
            });
            if let Some(confidence) = span.confidence {
                region["score"] = json!(confidence);
            }
            result.push(region);
        }
        let mut task = Map::new();
        let mut own = vec![("text", json!(document.text))];
        for (name, value) in about(document, true) {
            match name {
                // Its own ids are numbers; another is data.
                "id" if value.is_number() => drop(task.insert(name.to_owned(), value)),
                "model" => {}
                _ => own.push((name, value)),
            }
        }
        task.insert("data".to_owned(), object(document, own, losses));
        match &document.model {
            Some(model) => task.insert(
                "predictions".to_owned(),
                json!([{"model_version": model, "result": result}]),
            ),
            None => task.insert("annotations".to_owned(), json!([{"result": result}])),
        };
        lines.push(Value::Object(task).to_string());
    }
    match lines.is_empty() {
        true => "[]\n".to_owned(),
        false => format!("[\n{}\n]\n", lines.join(",\n")),
    }
}
