use super::*;

fn file(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reference/images");
    std::fs::read(std::path::Path::new(folder).join(name)).unwrap()
}

#[test]
fn every_kind_is_read_as_pillow_reads_it() {
    let expected = String::from_utf8(file("expected.tsv")).unwrap();
    let mut files = 0;
    for line in expected.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let image = Image::decode(&file(fields[0])).unwrap();
        let size = [image.width, image.height].map(|side| side.to_string());
        assert_eq!(size, [fields[1], fields[2]], "{line}");
        let mut values = fields[3].split(' ').map(|v| v.parse::<i32>().unwrap());
        let (w, h) = (image.width as usize, image.height as usize);
        assert_eq!(image.rgb.len(), w * h * 3);
        for (y, x) in [(1, 1), (1, 3), (3, 1), (3, 3)].map(|(y, x)| (y * h / 4, x * w / 4)) {
            for channel in 0..3 {
                let ours = i32::from(image.rgb[(y * w + x) * 3 + channel]);
                let theirs = values.next().unwrap();
                let lossless = fields[0].ends_with("png") || fields[0].ends_with("gif");
                let apart = if lossless { 1 } else { 4 };
                assert!((ours - theirs).abs() <= apart, "{line}: {ours} {theirs}");
            }
        }
        files += 1;
    }
    assert_eq!(files, 41);
}

#[test]
fn what_is_no_image_is_called_so() {
    assert_eq!(Image::decode(b""), Err(DecodeError::Empty));
    for bytes in [
        &b"<!doctype html><title>404"[..],
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"x",
        b"\xff\xd8",
        b"BMW is a car maker, and this is a text",
        b"<?xml version='1.0'?><html/>",
        b"<!DOCTYPE html><title>a</title><svg/>",
        b"a text about <svg>",
    ] {
        assert_eq!(
            Image::decode(bytes),
            Err(DecodeError::NotAnImage),
            "{bytes:?}"
        );
    }
    let others: [(&[u8], &str); 49] = [
        (b"BM\x46\0\0\0\0\0\0\0\x36\0", "BMP"),
        (b"II*\0\x08\0\0\0\0\0\0\0", "TIFF"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
        (b"\0\0\0\x18ftypavis\0\0\0\0msf1miaf", "AVIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0avifmiaf", "AVIF"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0miafavif", "AVIF"),
        (b"\0\0\0\x18ftypmiaf\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmiaf\0\0\0\0mif1MA1B", "AVIF"),
        (b"\0\0\0\x18ftypmsf1\0\0\0\0hevcmsf1", "HEIC"),
        (b"\0\0\0\x18ftypmsf1\0\0\0\0avismsf1", "AVIF"),
        (b"\0\0\0\x18ftypheix\0\0\0\0mif1heix", "HEIC"),
        (b"\0\0\0\x18ftyphevc\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftyphevx\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypheim\0\0\0\0mif1heim", "HEIC"),
        (b"\0\0\0\x18ftypheis\0\0\0\0mif1heis", "HEIC"),
        (b"\0\0\0\x14ftypmif1\0\0\0\0mif1avif", "HEIF"),
        (
            b"\0\0\0\x18ftypisom\0\0\0\0isomavc1",
            "MP4 or QuickTime video",
        ),
        (b"\xff\x0a\x7f\0\0\0\0\0\0\0\0\0", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"MM\0*\0\0\0\x08\0\0\0\0", "TIFF"),
        (b"II+\0\x08\0\0\0\0\0\0\0", "TIFF"),
        (b"8BPS\0\x01\0\0\0\0\0\0", "Photoshop"),
        (b"\0\0\x01\0\x01\0\x10\x10", "icon"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg/>", "SVG"),
        (b" <svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<!-- drawn --><svg/>", "SVG"),
        (
            b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'>\n<SVG/>",
            "SVG",
        ),
        (b"%PDF-1.7\n", "PDF"),
        (b"II*\0\x10\0\0\0CR\x02\0", "Canon raw"),
        (b"\0\0\0\x18ftypavci\0\0\0\0avcimif1", "HEIF"),
        (b"\0\0\0\x18ftypjpeg\0\0\0\0mif1jpeg", "HEIF"),
        (b"\0\0\0\x18ftypmif2\0\0\0\0avifmiaf", "AVIF"),
        (b"\0\0\0\x18ftypmiaf\0\0\0\0MA1Amif1", "AVIF"),
        (b"\0\0\0\x18ftypavio\0\0\0\0avismsf1", "AVIF"),
        (b"\0\0\0\x18ftyphevs\0\0\0\0msf1hevs", "HEIC"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "Canon raw"),
        (b"\0\0\0\x18ftypj2is\0\0\0\0msf1j2is", "JPEG 2000"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42", "MP4 audio"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "MP4 or QuickTime video"),
        (b"P6\n640 480\n255\n", "Netpbm"),
        (b"RIFF\0\0\0\0AVI LIST", "AVI video"),
        (b"\x1a\x45\xdf\xa3\x01\0\0\0", "Matroska or WebM video"),
        (b"\x8aMNG\r\n\x1a\n", "MNG"),
        (b"BPG\xfb\0\0\0\0", "BPG"),
        (b"qoif\0\0\0\x08", "QOI"),
        (b"\0\0\x02\0\x01\0\x20\x20", "cursor"),
        (b"\0\0\x02\0\0\0\0\0", "TGA"),
    ];
    for (bytes, format) in others {
        let format = format.to_owned();
        assert_eq!(
            Image::decode(bytes),
            Err(DecodeError::Unsupported { format })
        );
    }
}

#[test]
fn a_jpeg_of_another_process_is_called_so() {
    let whole = file("orientation1.jpg");
    let frame = whole
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    let named = |marker: u8, precision: u8| {
        let mut bytes = whole.clone();
        (bytes[frame + 1], bytes[frame + 4]) = (marker, precision);
        Image::decode(&bytes)
    };
    assert!(named(0xc0, 8).is_ok());
    for (marker, precision, name) in [
        (0xc1, 12, "12-bit JPEG"),
        (0xc2, 12, "12-bit JPEG"),
        (0xc3, 8, "lossless JPEG"),
        (0xc3, 16, "lossless JPEG"),
        (0xc5, 8, "hierarchical JPEG"),
        (0xc9, 8, "arithmetically coded JPEG"),
        (0xca, 8, "arithmetically coded JPEG"),
        (0xcb, 8, "lossless JPEG"),
        (0xf7, 8, "JPEG-LS"),
    ] {
        let format = name.to_owned();
        let refused = Err(DecodeError::Unsupported { format });
        assert_eq!(named(marker, precision), refused, "{marker:x}");
    }
    assert!(matches!(named(0xc0, 9), Err(DecodeError::Damaged { .. })));
}

#[test]
fn cut_files_are_refused_at_every_length() {
    for name in [
        "orientation1.jpg",
        "progressive.jpg",
        "rgb.png",
        "lossy.webp",
        "alpha.webp",
        "animated.gif",
    ] {
        let whole = file(name);
        // The first frame of an animation may be whole long before the file is; and the very
        // last bytes (checksums, end marks of PNG and GIF) carry no pixels.
        let end = match name {
            "animated.gif" => whole.len() / 4,
            "rgb.png" => whole.len() - 16,
            "lossy.webp" | "alpha.webp" => whole.len() - 1,
            // The end mark of a JPEG carries none either.
            _ => whole.len() - 2,
        };
        for length in 0..end {
            let error = Image::decode(&whole[..length]).err();
            let Some(error) = error else {
                panic!(
                    "{name} is read when cut to {length} of {} bytes",
                    whole.len()
                );
            };
            let known = matches!(
                error,
                DecodeError::Empty
                    | DecodeError::NotAnImage
                    | DecodeError::Truncated { .. }
                    | DecodeError::Damaged { .. }
            );
            assert!(known, "{name} cut to {length}: {error:?}");
        }
    }
    let jpeg = file("orientation1.jpg");
    let half = Image::decode(&jpeg[..jpeg.len() * 3 / 4]);
    assert_eq!(half, Err(DecodeError::Truncated { format: "JPEG" }));
    let png = file("rgb.png");
    let half = Image::decode(&png[..png.len() / 2]);
    assert_eq!(half, Err(DecodeError::Truncated { format: "PNG" }));
}

#[test]
fn a_mislabelled_file_is_what_its_bytes_say() {
    // No name is asked for; a PNG's first bytes before something else are a damaged PNG.
    let mut bytes = file("rgb.png")[..16].to_vec();
    bytes.extend(file("orientation1.jpg"));
    let error = Image::decode(&bytes).unwrap_err();
    assert!(
        matches!(
            error,
            DecodeError::Damaged { format: "PNG", .. } | DecodeError::TooManyPixels { .. }
        ),
        "{error:?}"
    );
}

/// A chunk of a PNG.
fn png_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let named = [&name[..], data].concat();
    let mut crc = !0u32;
    for &byte in &named {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let length = (data.len() as u32).to_be_bytes();
    [&length[..], &named, &(!crc).to_be_bytes()].concat()
}

/// A PNG that claims `width` × `height` RGB pixels and holds none.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[8, 2, 0, 0, 0],
    ]
    .concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        png_chunk(b"IHDR", &header),
        png_chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]),
        png_chunk(b"IEND", &[]),
    ]
    .concat()
}

#[test]
fn bombs_are_refused_by_their_header() {
    for (width, height) in [(60_000, 60_000), (65_536, 1), (1, 65_536), (16_000, 16_000)] {
        let error = Image::decode(&claiming(width, height)).unwrap_err();
        let expected = DecodeError::TooManyPixels {
            width,
            height,
            side: 65_535,
            pixels: 250_000_000,
        };
        assert_eq!(error, expected);
    }
    // A GIF is decoded whole.
    let gif = [
        &b"GIF89a"[..],
        &[0xff, 0xff, 0xff, 0xff, 0, 0, 0],
        &[
            0x2c, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 2, 2, 0x4c, 1, 0, b';',
        ],
    ]
    .concat();
    let error = Image::decode(&gif).unwrap_err();
    assert!(
        matches!(
            error,
            DecodeError::TooManyPixels {
                pixels: 64_000_000,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn each_limit_holds() {
    let png = file("rgb.png");
    let with = |change: fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        Image::decode_within(&png, &limits)
    };
    let bytes = png.len();
    let too_large = DecodeError::FileTooLarge { bytes, limit: 10 };
    assert_eq!(with(|l| l.file_bytes = 10), Err(too_large));
    let pixels = with(|l| l.pixels = 48 * 32 - 1);
    assert!(matches!(
        pixels,
        Err(DecodeError::TooManyPixels {
            width: 48,
            height: 32,
            ..
        })
    ));
    let side = with(|l| l.side = 47);
    assert!(matches!(
        side,
        Err(DecodeError::TooManyPixels { side: 47, .. })
    ));
    let memory = with(|l| l.allocation = 1000);
    assert_eq!(memory, Err(DecodeError::TooMuchMemory { limit: 1000 }));
    assert!(with(|l| (l.side, l.pixels) = (48, 48 * 32)).is_ok());
}

#[test]
fn large_images_are_reduced_with_their_shape() {
    let long = Image {
        width: 3000,
        height: 2,
        rgb: [1, 2, 3].repeat(6000),
    };
    let short = bounded(long, LONGEST_SIDE);
    assert_eq!((short.width, short.height), (1024, 1));
    assert_eq!(short.rgb, [1, 2, 3].repeat(1024));
    let tall = Image {
        width: 1000,
        height: 2048,
        rgb: vec![9; 1000 * 2048 * 3],
    };
    let small = bounded(tall, LONGEST_SIDE);
    assert_eq!((small.width, small.height), (500, 1024));
}

/// The bytes with an end mark behind them.
fn ended(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0xff, 0xd9]].concat()
}

#[test]
fn a_jpeg_is_whole_if_its_rows_are() {
    let truncated = Err(DecodeError::Truncated { format: "JPEG" });
    for name in [
        "orientation1.jpg",
        "progressive.jpg",
        "grey.jpg",
        "cmyk.jpg",
    ] {
        let whole = file(name);
        let image = Image::decode(&whole);
        assert!(image.is_ok());
        assert_eq!(Image::decode(&whole[..whole.len() - 2]), image, "{name}");
        assert_eq!(Image::decode(&whole[..whole.len() - 1]), image, "{name}");
        let more = [&whole[..], b"\0\0\0", b"another program's"].concat();
        assert_eq!(Image::decode(&more), image, "{name}");
        let end = whole.len() - 2;
        for part in [end * 3 / 4, end * 9 / 10, end - 8] {
            let cut = Image::decode(&ended(&whole[..part]));
            assert_eq!(cut, truncated, "{name} ended at {part} of {end}");
            // Zeros where the rest belongs.
            let padded = Image::decode(&[&whole[..part], &[0; 5000]].concat());
            let refused = matches!(
                padded,
                Err(DecodeError::Truncated { .. } | DecodeError::Damaged { .. })
            );
            assert!(refused, "{name} padded at {part} of {end}");
        }
    }
    // In a progressive one the first scans have every row, but of half the image.
    let progressive = file("progressive.jpg");
    let scans: Vec<usize> = progressive
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair == &[0xff, 0xda])
        .map(|(at, _)| at)
        .collect();
    let third = Image::decode(&ended(&progressive[..scans[scans.len() / 3]]));
    assert_eq!(third, truncated);
    let behind = scans[scans.len() - 1] - 30;
    assert_eq!(Image::decode(&progressive[..behind]), truncated);
}

/// The codes go on after a gap, but no longer as what they were: rows at the end have none.
#[test]
fn a_jpeg_that_lost_a_part_in_its_middle_is_refused() {
    for name in ["rgb.jpg", "odd422.jpg", "progressive.jpg", "restarts.jpg"] {
        let whole = file(name);
        let half = whole.len() / 2;
        for gap in [whole.len() / 4, whole.len() / 10] {
            let bytes = [&whole[..half], &whole[half + gap..]].concat();
            let error = Image::decode(&bytes).expect_err(name);
            let known = matches!(
                error,
                DecodeError::Truncated { .. } | DecodeError::Damaged { .. }
            );
            assert!(known, "{name}, {gap} bytes: {error:?}");
        }
    }
}

/// Restart markers that do not stand where the header says: whatever follows them would be out of place.
#[test]
fn a_jpeg_of_another_restart_interval_is_refused() {
    let whole = file("restarts.jpg");
    let header = whole
        .windows(4)
        .position(|bytes| bytes == [0xff, 0xdd, 0, 4]);
    let header = header.unwrap();
    let interval = u16::from_be_bytes([whole[header + 4], whole[header + 5]]);
    let mut changed = vec![[&whole[..header], &whole[header + 6..]].concat()];
    for other in [0, interval + 1, 2 * interval] {
        let mut bytes = whole.clone();
        bytes[header + 4..header + 6].copy_from_slice(&other.to_be_bytes());
        changed.push(bytes);
    }
    for bytes in changed {
        let error = Image::decode(&bytes).unwrap_err();
        assert!(
            matches!(error, DecodeError::Damaged { format: "JPEG", .. }),
            "{error:?}"
        );
    }
}

#[test]
fn pixels_without_their_checksum_are_refused() {
    let mut bytes = file("rgb.png");
    let chunk = bytes.windows(4).rposition(|name| name == b"IDAT").unwrap();
    let at = chunk - 4;
    let length = u32::from_be_bytes(*bytes[at..].first_chunk().unwrap()) as usize;
    let end = at + 8 + length;
    // Cut off, it is not asked for.
    assert!(Image::decode(&bytes[..end]).is_ok());
    bytes[end] ^= 1;
    let error = Image::decode(&bytes).unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
}

#[test]
fn zeros_in_the_place_of_a_webp_s_last_data_are_refused() {
    let lossless = |white_from: u32| {
        let mut random = crate::splitmix::SplitMix64(7);
        let image = image::RgbImage::from_fn(160, 160, |_, y| {
            let noise = [0; 3].map(|_| random.below(256) as u8);
            image::Rgb(if y < white_from { noise } else { [255; 3] })
        });
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::WebP).unwrap();
        bytes.into_inner()
    };
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/examples/rocket.webp");
    for whole in [std::fs::read(example).unwrap(), lossless(160)] {
        assert!(Image::decode(&whole).is_ok());
        for part in [whole.len() / 2, whole.len() * 9 / 10] {
            let mut bytes = whole.clone();
            bytes[part..].fill(0);
            let error = Image::decode(&bytes).unwrap_err();
            assert_eq!(error, DecodeError::Truncated { format: "WebP" });
        }
    }
    // A flat end takes few bytes, and may be zeros.
    for white_from in [0, 20, 159] {
        assert!(Image::decode(&lossless(white_from)).is_ok());
    }
}

/// Half of an image's data in a file that is whole but for them: every length is right and the end mark is there.
#[test]
fn half_of_the_data_is_refused_however_well_the_file_ends() {
    let refused = |name: &str, bytes: &[u8]| {
        let error = Image::decode(bytes).expect_err(name);
        let known = matches!(
            error,
            DecodeError::Truncated { .. } | DecodeError::Damaged { .. }
        );
        assert!(known, "{name}: {error:?}");
    };
    for name in ["rgb.png", "grey16.png", "palette.png", "alpha.png"] {
        let whole = file(name);
        let mut half = whole[..8].to_vec();
        let mut at = 8;
        while let Some(head) = whole.get(at..at + 8) {
            let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
            let (kind, data) = (&head[4..], &whole[at + 8..at + 8 + length]);
            let keep = if kind == b"IDAT" { length / 2 } else { length };
            half.extend(png_chunk(kind.try_into().unwrap(), &data[..keep]));
            at += 12 + length;
        }
        refused(name, &half);
    }
    for name in ["lossy.webp", "alpha.webp"] {
        let whole = file(name);
        // In the simplest form one chunk holds the image.
        assert!(&whole[12..15] == b"VP8");
        let keep = (whole.len() - 20) / 2;
        let mut half = whole[..20 + keep].to_vec();
        half[16..20].copy_from_slice(&(keep as u32).to_le_bytes());
        half[4..8].copy_from_slice(&(keep as u32 + 12).to_le_bytes());
        refused(name, &half);
    }
    for name in ["animated.gif", "see_through.gif"] {
        let whole = file(name);
        // The end of a sub-block in the first frame's data, found by its descriptor.
        let frame = whole.iter().position(|&byte| byte == 0x2c).unwrap();
        let flags = whole[frame + 9];
        let colours = if flags & 0x80 == 0 {
            0
        } else {
            3 << ((flags & 7) + 1)
        };
        let data = frame + 11 + colours;
        let keep = usize::from(whole[data]) / 2;
        let mut half = whole[..data + 1 + keep].to_vec();
        half[data] = keep as u8;
        half.extend([0, b';']);
        refused(name, &half);
    }
}

#[test]
fn the_eighth_of_a_jpeg_is_the_mean_of_its_blocks() {
    for name in [
        "orientation1.jpg",
        "orientation6.jpg",
        "progressive.jpg",
        "grey.jpg",
        "cmyk.jpg",
    ] {
        let bytes = file(name);
        let (full, _) = whole(&bytes, ImageFormat::Jpeg, "JPEG", &Limits::default()).unwrap();
        let scan = jpeg::scan(&bytes, [full.width, full.height]).unwrap();
        assert!(scan.complete && scan.ended);
        let eighth = scan.eighth;
        assert_eq!(
            (eighth.width, eighth.height),
            (full.width.div_ceil(8), full.height.div_ceil(8))
        );
        let (w, ew) = (full.width as usize, eighth.width as usize);
        // Colour may be told for four blocks at once. What lies beyond the edge is the encoder's.
        for y in 0..full.height as usize / 16 {
            for x in 0..w / 16 {
                for channel in 0..3 {
                    let mean = |image: &Image, width: usize, side: usize| {
                        let at = |i: usize| {
                            ((y * side + i / side) * width + x * side + i % side) * 3 + channel
                        };
                        let values = (0..side * side).map(|i| i32::from(image.rgb[at(i)]));
                        values.sum::<i32>() / (side * side) as i32
                    };
                    let (mean, got) = (mean(&full, w, 16), mean(&eighth, ew, 2));
                    assert!((mean - got).abs() <= 24, "{name} {x} {y}: {mean} {got}");
                }
            }
        }
        let difference: i64 = (0..3)
            .map(|channel| {
                let mean = |image: &Image| {
                    let values = image
                        .rgb
                        .iter()
                        .skip(channel)
                        .step_by(3)
                        .map(|&v| i64::from(v));
                    values.sum::<i64>() / (image.rgb.len() as i64 / 3)
                };
                (mean(&full) - mean(&eighth)).abs()
            })
            .sum();
        assert!(difference <= 24, "{name}: {difference}");
    }
}

/// A grey JPEG of any size: two codes a block, of which the first half is dark and the second bright.
fn photograph(width: u16, height: u16) -> Vec<u8> {
    let sides = [height.to_be_bytes(), width.to_be_bytes()].concat();
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    bytes.extend([8; 64]);
    bytes.extend([&[0xff, 0xc0, 0, 11, 8][..], &sides, &[1, 1, 0x11, 0]].concat());
    // Differences of 0 bits as `0` and of 7 bits as `10`; the end of a block as `0`.
    let dc = [&[0xff, 0xc4, 0, 21, 0][..], &[1, 1], &[0; 14], &[0, 7]].concat();
    let ac = [&[0xff, 0xc4, 0, 20, 0x10][..], &[1], &[0; 15], &[0]].concat();
    bytes.extend([dc, ac].concat());
    bytes.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    let blocks = usize::from(width).div_ceil(8) * usize::from(height).div_ceil(8);
    // Two bits a block, all 0, but for a difference of -100 in the first block and of 100 in two in the middle.
    let data = bytes.len();
    let middle = 10 + 2 * (blocks / 2 - 1);
    bytes.resize(data + (2 * blocks + 24).div_ceil(8), 0);
    let codes = [
        (0, "1000110110"),
        (middle, "1011001000"),
        (middle + 10, "1011001000"),
    ];
    for (at, code) in codes {
        for (i, bit) in code.bytes().enumerate() {
            let at = at + i;
            bytes[data + at / 8] |= (bit - b'0') << (7 - at % 8);
        }
    }
    ended(&bytes)
}

#[test]
fn large_photographs_and_long_screenshots_are_read() {
    for (width, height, size) in [
        (12_000, 9_000, (1024, 768)),
        (16_320, 12_240, (1024, 768)),
        (1_080, 21_000, (53, 1024)),
        (65_535, 8, (1024, 1)),
    ] {
        let bytes = photograph(width, height);
        let image = Image::decode(&bytes).unwrap_or_else(|e| panic!("{width}x{height}: {e}"));
        assert_eq!((image.width, image.height), size);
        assert_eq!(
            (image.rgb[0], image.rgb[image.rgb.len() - 1]),
            (28, 228),
            "{width}x{height}"
        );
    }
    let bytes = photograph(1_080, 21_000);
    let half = Image::decode(&ended(&bytes[..bytes.len() / 2]));
    assert_eq!(half, Err(DecodeError::Truncated { format: "JPEG" }));
    let error = Image::decode(&photograph(20_000, 20_000)).unwrap_err();
    assert!(
        matches!(error, DecodeError::TooManyPixels { .. }),
        "{error:?}"
    );

    let (width, height) = (1080, 21_000);
    let bright = |i: u32| if i / width < height / 2 { 40 } else { 220 };
    let grey: Vec<u8> = (0..width * height).map(bright).collect();
    let mut png = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut png);
    image::ImageEncoder::write_image(encoder, &grey, width, height, image::ExtendedColorType::L8)
        .unwrap();
    let image = Image::decode(&png).unwrap();
    assert_eq!((image.width, image.height), (53, 1024));
    assert_eq!((image.rgb[0], image.rgb[image.rgb.len() - 1]), (40, 220));
    let half = Image::decode(&png[..png.len() / 2]);
    assert_eq!(half, Err(DecodeError::Truncated { format: "PNG" }));
}

/// An encoded PNG of 16-bit RGBA.
fn deep(width: u32, height: u32, value: impl Fn(u32, u32) -> [u16; 4]) -> Vec<u8> {
    let pixels = image::ImageBuffer::from_fn(width, height, |x, y| image::Rgba(value(x, y)));
    let mut bytes = Cursor::new(Vec::new());
    let image = DynamicImage::ImageRgba16(pixels);
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn a_png_is_reduced_as_its_rows_come() {
    let bytes = deep(301, 203, |x, y| {
        [
            x as u16 * 200,
            y as u16 * 300,
            9000,
            65_535 - x as u16 * 100,
        ]
    });
    let at_once = Image::decode(&bytes).unwrap();
    let limits = Limits {
        pixels_at_once: 1000,
        // What 16 bits and transparency would need does not fit.
        allocation: 300 * 1024,
        ..Limits::default()
    };
    let reduced = Image::decode_within(&bytes, &limits).unwrap();
    assert_eq!((reduced.width, reduced.height), (151, 102));
    let mean = |image: &Image, x: u32, y: u32, side: u32| {
        let at =
            |i: u32| (((y * side + i / side) * image.width + x * side + i % side) * 3) as usize;
        let sum: u32 = (0..side * side).map(|i| u32::from(image.rgb[at(i)])).sum();
        sum as i32 / (side * side) as i32
    };
    for (x, y) in [(0, 0), (7, 90), (149, 100), (75, 33)] {
        let apart = mean(&at_once, x, y, 2) - mean(&reduced, x, y, 1);
        assert!(apart.abs() <= 1, "{x} {y}");
    }
    // As reading it whole and laying it on white.
    let decoder = image::codecs::png::PngDecoder::new(Cursor::new(&bytes)).unwrap();
    assert_eq!(
        flatten(DynamicImage::from_decoder(decoder).unwrap()),
        at_once
    );
}

#[test]
fn an_animation_that_fades_in_is_seen_where_it_shows_something() {
    use image::codecs::gif::GifEncoder;
    let frame = |shade: u8| {
        let pixels = image::RgbaImage::from_fn(16, 12, |x, _| {
            image::Rgba(if x < 8 {
                [255, 255, 255, 255]
            } else {
                [255, shade, shade, 255]
            })
        });
        image::Frame::new(pixels)
    };
    let gif = |shades: &[u8]| {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        encoder
            .encode_frames(shades.iter().map(|&shade| frame(shade)))
            .unwrap();
        drop(encoder);
        bytes
    };
    let faded = [255, 255, 90, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let decoded = Decoded::read(&gif(&faded)).unwrap();
    assert_eq!(decoded.note, Some(Note::Frame { number: 3, of: 12 }));
    assert!(
        decoded
            .note
            .unwrap()
            .to_string()
            .starts_with("frame 3 of 12")
    );
    let right = &decoded.image.rgb[15 * 3..16 * 3];
    assert!(right[0] > 240 && (80..100).contains(&right[1]), "{right:?}");
    for shades in [&[90, 255][..], &[255], &[255, 255, 255]] {
        let decoded = Decoded::read(&gif(shades)).unwrap();
        assert_eq!(decoded.note, None, "{shades:?}");
    }

    // A WebP of the same frames, each a lossless image in a chunk of its own.
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let size = (data.len() as u32).to_le_bytes();
        let pad = vec![0; data.len() & 1];
        [&name[..], &size, data, &pad].concat()
    };
    let shown = |shade: u8| {
        let mut bytes = Vec::new();
        let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut bytes);
        let rgba = frame(shade).into_buffer();
        let rgb = DynamicImage::ImageRgba8(rgba).into_rgb8();
        image::ImageEncoder::write_image(encoder, &rgb, 16, 12, image::ExtendedColorType::Rgb8)
            .unwrap();
        // Place, size, duration, flags, then the image's own chunk behind the file's head.
        let head = [&[0; 6][..], &[15, 0, 0, 11, 0, 0], &[100, 0, 0, 2]].concat();
        chunk(b"ANMF", &[&head[..], &bytes[12..]].concat())
    };
    let mut body = b"WEBP".to_vec();
    body.extend(chunk(b"VP8X", &[2, 0, 0, 0, 15, 0, 0, 11, 0, 0]));
    body.extend(chunk(b"ANIM", &[255, 255, 255, 255, 0, 0]));
    for shade in faded {
        body.extend(shown(shade));
    }
    let decoded = Decoded::read(&chunk(b"RIFF", &body)).unwrap();
    assert_eq!(decoded.note, Some(Note::Frame { number: 3, of: 12 }));

    // A PNG of the same frames, with an image before them that is none of them or without one.
    for beside in [false, true] {
        let apng = apng(&faded.map(|shade| frame(shade).into_buffer()), beside);
        let decoded = Decoded::read(&apng).unwrap();
        assert_eq!(decoded.note, Some(Note::Frame { number: 3, of: 12 }));
        let right = &decoded.image.rgb[15 * 3..16 * 3];
        assert_eq!(right, [255, 90, 90]);
        // Where the frames end early, what is there is read.
        let cut = Decoded::read(&apng[..apng.len() * 2 / 3]);
        assert_eq!(cut.map(|cut| cut.image), Ok(decoded.image));
    }
    let still = apng(&[frame(255).into_buffer()], false);
    assert_eq!(Decoded::read(&still).unwrap().note, None);
}

/// An animated PNG; where something stands `beside` the frames, a white image comes before them.
fn apng(frames: &[image::RgbaImage], beside: bool) -> Vec<u8> {
    let (width, height) = frames[0].dimensions();
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(::png::ColorType::Rgba);
    encoder.set_animated(frames.len() as u32, 0).unwrap();
    encoder.set_sep_def_img(beside).unwrap();
    let mut writer = encoder.write_header().unwrap();
    if beside {
        let white = vec![255; (width * height * 4) as usize];
        writer.write_image_data(&white).unwrap();
    }
    for frame in frames {
        writer.write_image_data(frame).unwrap();
    }
    writer.finish().unwrap();
    bytes
}

#[test]
fn random_changes_of_a_jpeg_never_panic() {
    for name in ["orientation1.jpg", "progressive.jpg", "cmyk.jpg"] {
        let bytes = file(name);
        let whole = Image::decode(&bytes).unwrap();
        for i in 0..300usize {
            let mut changed = bytes.clone();
            let at = 2 + i * 7919 % (bytes.len() - 2);
            changed[at] ^= 1 << (i % 8);
            let _ = jpeg::scan(&changed, [whole.width, whole.height]);
        }
    }
}
