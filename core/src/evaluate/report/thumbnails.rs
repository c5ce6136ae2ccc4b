//! Images small enough to lie in the page itself.

use crate::evaluate::report::ShownImage;
use crate::image::Image;
use crate::image::resize::resize;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use std::fs;

/// Most images in a page.
pub const IMAGES: usize = 24;
/// Most bytes of a page that are images, as they are written there.
pub const IMAGE_BYTES: usize = 1024 * 1024;
/// The longest side of an image in pixels.
pub const SIDE: u32 = 320;
/// Of JPEG, 1 to 100.
const QUALITY: u8 = 72;
/// Tags in the alternative text.
const TAGS: usize = 5;

/// What the page shows of a tweet's image.
#[derive(Debug)]
pub(super) enum Thumbnail {
    /// The tweet was read without one.
    Without,
    /// A data URI.
    Shown {
        uri: String,
        alt: String,
        width: u32,
        height: u32,
    },
    /// Why it is not there, as a sentence.
    LeftOut(String),
}

/// Makes images small, within what a page may hold.
#[derive(Debug, Default)]
pub(super) struct Thumbnails {
    images: usize,
    bytes: usize,
}

impl Thumbnails {
    /// The next tweet's.
    pub(super) fn of(&mut self, image: Option<&ShownImage>) -> Thumbnail {
        let Some(image) = image else {
            return Thumbnail::Without;
        };
        let full = || Thumbnail::LeftOut("Its image is left out: the file is full.".to_owned());
        if self.images == IMAGES {
            return full();
        }
        let (small, uri) = match data_uri(image) {
            Ok(made) => made,
            Err(why) => return Thumbnail::LeftOut(format!("Its image cannot be shown: {why}")),
        };
        if self.bytes + uri.len() > IMAGE_BYTES {
            return full();
        }
        self.images += 1;
        self.bytes += uri.len();
        Thumbnail::Shown {
            uri,
            alt: alternative(image),
            width: small.width,
            height: small.height,
        }
    }
}

fn data_uri(image: &ShownImage) -> Result<(Image, String), String> {
    let bytes = fs::read(&image.path).map_err(|e| e.to_string())?;
    let small = scaled(Image::decode(&bytes).map_err(|e| e.to_string())?);
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY)
        .encode(
            &small.rgb,
            small.width,
            small.height,
            ExtendedColorType::Rgb8,
        )
        .map_err(|e| e.to_string())?;
    let uri = format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg));
    Ok((small, uri))
}

/// The image with no side above [`SIDE`].
fn scaled(image: Image) -> Image {
    let longest = image.width.max(image.height);
    if longest <= SIDE {
        return image;
    }
    let side = |side: u32| (u64::from(side) * u64::from(SIDE) / u64::from(longest)).max(1) as u32;
    resize(&image, side(image.width), side(image.height))
}

/// What the image shows, for those who do not see it: what the model saw in it.
fn alternative(image: &ShownImage) -> String {
    match &image.tags[..] {
        [] => "The tweet's image; the vision encoder names nothing in it".to_owned(),
        tags => {
            let tags = &tags[..tags.len().min(TAGS)];
            format!(
                "The tweet's image; the vision encoder sees {}",
                tags.join(", ")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image_file(folder: &std::path::Path, name: &str, width: u32, height: u32) -> ShownImage {
        let path = folder.join(name);
        let rgb = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 9]));
        rgb.save_with_format(&path, image::ImageFormat::Png)
            .unwrap();
        ShownImage {
            path,
            tags: vec!["kite".to_owned()],
        }
    }

    #[test]
    fn images_are_scaled_down_and_are_jpegs() {
        let folder = tempfile::tempdir().unwrap();
        let wide = image_file(folder.path(), "wide.png", 900, 300);
        let (small, uri) = data_uri(&wide).unwrap();
        assert_eq!((small.width, small.height), (SIDE, 106));
        let jpeg = STANDARD
            .decode(uri.strip_prefix("data:image/jpeg;base64,").unwrap())
            .unwrap();
        let read = Image::decode(&jpeg).unwrap();
        assert_eq!((read.width, read.height), (small.width, small.height));
        let tall = image_file(folder.path(), "tall.png", 2, 4000);
        assert_eq!(data_uri(&tall).unwrap().0.width, 1);
        let small = image_file(folder.path(), "small.png", 20, 10);
        assert_eq!(data_uri(&small).unwrap().0.width, 20);
    }

    #[test]
    fn a_page_holds_so_many_images_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let image = image_file(folder.path(), "a.png", 40, 30);
        let mut thumbnails = Thumbnails::default();
        for _ in 0..IMAGES {
            assert!(matches!(
                thumbnails.of(Some(&image)),
                Thumbnail::Shown { alt, .. } if alt.ends_with("sees kite")
            ));
        }
        assert!(
            matches!(thumbnails.of(Some(&image)), Thumbnail::LeftOut(why) if why.contains("full"))
        );
        let mut thumbnails = Thumbnails {
            bytes: IMAGE_BYTES - 10,
            ..Thumbnails::default()
        };
        assert!(matches!(thumbnails.of(Some(&image)), Thumbnail::LeftOut(_)));
        assert!(matches!(thumbnails.of(None), Thumbnail::Without));
        let gone = ShownImage {
            path: folder.path().join("gone.png"),
            tags: Vec::new(),
        };
        assert!(
            matches!(Thumbnails::default().of(Some(&gone)), Thumbnail::LeftOut(why) if why.contains("cannot"))
        );
    }
}
