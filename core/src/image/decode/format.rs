//! Which format bytes begin as.

use crate::image::decode::DecodeError;
use image::ImageFormat;

/// The decoder for the bytes, or why there is none.
pub(super) fn known(bytes: &[u8]) -> Result<(ImageFormat, &'static str), DecodeError> {
    if let Some(format) = unread(bytes) {
        return Err(DecodeError::Unsupported {
            format: format.to_owned(),
        });
    }
    match image::guess_format(bytes) {
        Ok(ImageFormat::Jpeg) => Ok((ImageFormat::Jpeg, "JPEG")),
        Ok(ImageFormat::Png) => Ok((ImageFormat::Png, "PNG")),
        Ok(ImageFormat::WebP) => Ok((ImageFormat::WebP, "WebP")),
        Ok(ImageFormat::Gif) => Ok((ImageFormat::Gif, "GIF")),
        _ => Err(DecodeError::NotAnImage),
    }
}

/// The name of a format that is known and not read.
fn unread(bytes: &[u8]) -> Option<&'static str> {
    const SIGNATURES: [(&[u8], &str); 18] = [
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0", "TIFF"),
        (b"MM\0+", "TIFF"),
        (b"II\xbc\x01", "JPEG XR"),
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x4f\xff\x51", "JPEG 2000"),
        (b"8BPS", "Photoshop"),
        (b"\0\0\x01\0", "icon"),
        (b"\0\0\x02\0", "cursor"),
        (b"qoif", "QOI"),
        (b"%PDF-", "PDF"),
        (b"DDS ", "DDS"),
        (b"#?RADIANCE", "HDR"),
        (b"v/1\x01", "OpenEXR"),
        (b"farbfeld", "farbfeld"),
    ];
    let signature = SIGNATURES
        .iter()
        .find(|(start, _)| bytes.starts_with(start));
    if let Some((_, name)) = signature {
        return Some(name);
    }
    // Two letters are little: the reserved bytes and the place of the pixels are looked at too.
    if bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]) {
        return Some("BMP");
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return brand(bytes);
    }
    let text = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let svg = text.starts_with(b"<svg")
        || (text.starts_with(b"<?xml")
            && text[..text.len().min(1024)]
                .windows(4)
                .any(|w| w == b"<svg"));
    svg.then_some("SVG")
}

/// The format of an ISO base media file by its brands: the major one, then the compatible ones. `mif1` and its kin say only
/// that there are images; which codec they need is said beside it.
fn brand(bytes: &[u8]) -> Option<&'static str> {
    let size = bytes
        .first_chunk::<4>()
        .map_or(0, |size| u32::from_be_bytes(*size) as usize);
    // A size of 0 reaches to the end of the file; nobody has more than a few brands.
    let end = if size < 16 { 64 } else { size.min(1024) }.min(bytes.len());
    let major = bytes.get(8..12);
    let compatible = bytes.get(16..end).unwrap_or_default().chunks_exact(4);
    let brands = || major.into_iter().chain(compatible.clone());
    let exact = |brand: &[u8]| match brand {
        b"avif" | b"avis" | b"avio" | b"av01" | b"MA1A" | b"MA1B" => Some("AVIF"),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some("HEIC")
        }
        b"jxl " => Some("JPEG XL"),
        b"jp2 " | b"jpx " | b"j2ki" => Some("JPEG 2000"),
        b"crx " => Some("Canon raw"),
        _ => None,
    };
    let images = |brand: &[u8]| {
        [
            &b"mif1"[..],
            b"mif2",
            b"mif3",
            b"msf1",
            b"miaf",
            b"miif",
            b"1pic",
            b"vvic",
            b"evbi",
        ]
        .contains(&brand)
    };
    brands()
        .find_map(exact)
        .or_else(|| match brands().any(images) {
            true => Some("HEIF"),
            false => major.map(|_| "MP4 or QuickTime video"),
        })
}
