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

const VIDEO: &str = "MP4 or QuickTime video";

/// The name of a format that is known and not read.
fn unread(bytes: &[u8]) -> Option<&'static str> {
    const SIGNATURES: [(&[u8], &str); 41] = [
        (b"II*\0\x10\0\0\0CR", "Canon raw"),
        (b"IIU\0", "Panasonic raw"),
        (b"IIRO", "Olympus raw"),
        (b"IIRS", "Olympus raw"),
        (b"MMOR", "Olympus raw"),
        (b"FUJIFILMCCD-RAW", "Fujifilm raw"),
        (b"FOVb", "Sigma raw"),
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
        // A cursor file has one image at least; this is none, but a colour image without a palette.
        (b"\0\0\x02\0\0\0", "TGA"),
        (b"\0\0\x0a\0\0\0", "TGA"),
        (b"\0\0\x02\0", "cursor"),
        (b"qoif", "QOI"),
        (b"%PDF-", "PDF"),
        (b"DDS ", "DDS"),
        (b"#?RADIANCE", "HDR"),
        (b"v/1\x01", "OpenEXR"),
        (b"farbfeld", "farbfeld"),
        (b"FLIF", "FLIF"),
        (b"BPG\xfb", "BPG"),
        (b"icns", "icon"),
        (b"\x8aMNG", "MNG"),
        (b"\x8bJNG", "JNG"),
        (b"AT&TFORM", "DjVu"),
        (b"%!PS", "PostScript"),
        (b"\xc5\xd0\xd3\xc6", "PostScript"),
        (b"\xd7\xcd\xc6\x9a", "WMF"),
        (b"gimp xcf", "GIMP"),
        (b"SIMPLE  =", "FITS"),
        (b"/* XPM */", "XPM"),
        (b"\x97JB2", "JBIG2"),
        (b"\x1a\x45\xdf\xa3", "Matroska or WebM video"),
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
    // A digit and white space, then the width.
    if let [
        b'P',
        b'1'..=b'7',
        b' ' | b'\n' | b'\r' | b'\t',
        b'0'..=b'9' | b'#' | b'W',
        ..,
    ] = bytes
    {
        return Some("Netpbm");
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"AVI ") {
        return Some("AVI video");
    }
    if bytes.get(40..44) == Some(b" EMF") {
        return Some("EMF");
    }
    match bytes.get(4..8) {
        Some(b"ftyp") => return brand(bytes),
        // What QuickTime may begin with in its place.
        Some(b"moov" | b"mdat" | b"wide" | b"pnot") => return Some(VIDEO),
        _ => {}
    }
    let text = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    let head = &text[..text.len().min(1024)];
    let has = |word: &[u8]| {
        let mut words = head.windows(word.len());
        words.any(|other| other.eq_ignore_ascii_case(word))
    };
    // A page may have a drawing in it.
    let page = has(b"<html") || has(b"<!doctype html");
    (text.starts_with(b"<") && has(b"<svg") && !page).then_some("SVG")
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
        b"jp2 " | b"jpx " | b"jpm " | b"j2ki" | b"j2is" => Some("JPEG 2000"),
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
            b"vvis",
            b"evbi",
            b"evbs",
            b"avci",
            b"avcs",
            b"jpeg",
            b"jpgs",
        ]
        .contains(&brand)
    };
    brands()
        .find_map(exact)
        .or_else(|| match brands().any(images) {
            true => Some("HEIF"),
            false if matches!(major, Some(b"M4A " | b"M4B " | b"M4P ")) => Some("MP4 audio"),
            false => major.map(|_| VIDEO),
        })
}
