//! The two doors to all formats: read and write.

use crate::formats::annotations::document::Document;
use crate::formats::annotations::exchange::{
    ReadOptions, Reading, TextFile, WriteOptions, Writing,
};
use crate::formats::annotations::fault::AnnotationError;
use crate::formats::annotations::format::Format;
use crate::formats::annotations::record::say_unkept;
use crate::formats::annotations::{
    brat, columns, conllu, detect, doccano, label_studio, mner, prodigy, spacy, token_lists,
};

impl Format {
    /// The format that files look like; `None` if they look like none.
    pub fn detect(files: &[TextFile]) -> Option<Self> {
        detect::detect(files)
    }

    /// Reads files of this format, brat's in pairs, any other's one after the other.
    ///
    /// # Errors
    /// See [`AnnotationError`]; not a single document is one. What can be left out is no error but a [loss](crate::formats::annotations::Loss).
    pub fn read(
        self,
        files: &[TextFile],
        options: &ReadOptions,
    ) -> Result<Reading, AnnotationError> {
        let mut reading = Reading::default();
        match self {
            Self::Brat => brat::read(files, self.counting(options.offsets), &mut reading)?,
            _ => {
                for file in files {
                    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
                    self.read_one(text, options, &mut reading)?;
                }
            }
        }
        if reading.documents.is_empty() {
            return Err(AnnotationError::Empty(self));
        }
        reading.documents.iter_mut().for_each(Document::sort);
        Ok(reading)
    }

    fn read_one(
        self,
        text: &str,
        options: &ReadOptions,
        reading: &mut Reading,
    ) -> Result<(), AnnotationError> {
        let unit = self.counting(options.offsets);
        match self {
            Self::ImgId | Self::Conll2 | Self::Conll4 | Self::Numbered => {
                columns::read(self, text, options, reading)
            }
            Self::Jsonl | Self::Datasets => token_lists::read(text, options, reading),
            Self::Mner => mner::read(text, options, reading),
            Self::Doccano => doccano::read(text, unit, reading),
            Self::LabelStudio => label_studio::read(text, unit, reading),
            Self::Prodigy => prodigy::read(text, unit, reading),
            Self::ConllU | Self::UniversalNer => conllu::read(self, text, options, reading),
            Self::Spacy => spacy::read(text, unit, reading),
            // Its files come in pairs.
            Self::Brat => Ok(()),
        }
    }

    /// Writes documents in this format. No document gives files without any.
    pub fn write(self, documents: &[Document], options: &WriteOptions) -> Writing {
        let mut losses = Vec::new();
        if !matches!(self, Self::Mner | Self::LabelStudio) {
            say_unkept(documents, &mut losses);
        }
        let unit = self.counting(options.offsets);
        let text = match self {
            Self::ImgId | Self::Conll2 | Self::Conll4 | Self::Numbered => {
                columns::write(self, documents, options, &mut losses)
            }
            Self::Jsonl | Self::Datasets => {
                token_lists::write(self, documents, options, &mut losses)
            }
            Self::Mner => mner::write(documents, &mut losses),
            Self::Doccano => doccano::write(documents, unit, &mut losses),
            Self::LabelStudio => label_studio::write(documents, unit, &mut losses),
            Self::Prodigy => prodigy::write(documents, unit, &mut losses),
            Self::ConllU | Self::UniversalNer => {
                conllu::write(self, documents, options, &mut losses)
            }
            Self::Spacy => spacy::write(documents, unit, &mut losses),
            Self::Brat => {
                let files = brat::write(documents, unit, &mut losses);
                return Writing { files, losses };
            }
        };
        let name = format!("annotations{}", self.ending());
        Writing {
            files: vec![TextFile { name, text }],
            losses,
        }
    }
}
