use super::*;

fn file(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/reference/pictures");
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
    assert_eq!(files, 21);
}

#[test]
fn what_is_no_image_is_called_so() {
    assert_eq!(Image::decode(b""), Err(DecodeError::Empty));
    for bytes in [
        &b"<!doctype html><title>404"[..],
        b"\0\0\0\0\0\0\0\0\0\0\0\0",
        b"x",
        b"\xff\xd8",
    ] {
        assert_eq!(
            Image::decode(bytes),
            Err(DecodeError::NotAnImage),
            "{bytes:?}"
        );
    }
    let others: [(&[u8], &str); 4] = [
        (b"BM\x46\0\0\0\0\0\0\0\x36\0", "BMP"),
        (b"II*\0\x08\0\0\0\0\0\0\0", "TIFF"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
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
            _ => whole.len(),
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

/// A PNG that claims `width` × `height` RGB pixels and holds none.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let chunk = |name: &[u8; 4], data: &[u8]| {
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
    };
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes(),
        &[8, 2, 0, 0, 0],
    ]
    .concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

#[test]
fn bombs_are_refused_by_their_header() {
    for (width, height) in [(60_000, 60_000), (16_385, 1), (1, 16_385), (16_000, 16_000)] {
        let error = Image::decode(&claiming(width, height)).unwrap_err();
        let expected = DecodeError::TooManyPixels {
            width,
            height,
            side: 16_384,
            pixels: 64_000_000,
        };
        assert_eq!(error, expected);
    }
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
