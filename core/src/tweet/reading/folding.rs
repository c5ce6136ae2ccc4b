//! A word as it is looked up by its letters.

use crate::tweet::reading::{is_decoration, is_image, read};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The words of a tweet as they are looked up: each [folded](fold), and underscores by themselves, `_` before and behind an
/// _emphasised_ word, are `*`, by which others emphasise. Models know a `_` as what Twitter-2015 cuts out of user names, `@ann _ lee`,
/// behind which nothing is a name: there it stays. So it does before an emphasised word right behind a user name, which looks alike.
pub fn fold_words<S: AsRef<str>>(words: &[S]) -> Vec<Cow<'_, str>> {
    let is_line = |word: &str| !word.is_empty() && word.bytes().all(|b| b == b'_');
    let mut of_user_name = false;
    let mut before = "";
    words
        .iter()
        .map(|word| {
            let (word, last) = (word.as_ref(), before);
            before = word;
            let goes_on = is_line(word) || is_line(last) && word.starts_with(char::is_alphanumeric);
            of_user_name = word.starts_with(['@', '＠']) || of_user_name && goes_on;
            match is_line(word) && !of_user_name {
                true => Cow::Borrowed("*"),
                false => fold(word),
            }
        })
        .collect()
}

/// A word as it is looked up: read, its characters composed (NFC), and styled letters and digits
/// (mathematical, full-width, circled, squared, superscript, small capitals, presentation forms, struck out, piled up with marks)
/// as plain ones; hyphens are one. Other marks, `…` and `™` for example, stay what they are, and so does case. What is nothing to
/// read stays.
pub fn fold(word: &str) -> Cow<'_, str> {
    match fold_once(word) {
        // What was styled may make a reference: `&#xⓐ9`.
        Cow::Owned(folded) if folded.contains('&') => Cow::Owned(fold_once(&folded).into_owned()),
        folded => folded,
    }
}

fn fold_once(word: &str) -> Cow<'_, str> {
    if word.bytes().all(|b| b.is_ascii_graphic() && b != b'&') {
        return Cow::Borrowed(word);
    }
    let read = read(word);
    if read.is_empty() {
        return Cow::Borrowed(word);
    }
    let mut folded = String::with_capacity(read.len());
    // Two that stand among small capitals for those which few fonts have are letters of alphabets elsewhere.
    let capitals = read.chars().any(|c| small_capital(c).is_some());
    let plain = |c: char| match c {
        'ғ' if capitals => Some('f'),
        'ǫ' if capitals => Some('q'),
        _ => enclosed(c).or(plain_mark(c)).or(small_capital(c)),
    };
    let mut chars = read.chars().peekable();
    while let Some(c) = chars.next() {
        // An emoji made of a letter.
        if chars.peek() == Some(&'\u{FE0F}') {
            folded.push(c);
        } else if let Some(plain) = plain(c) {
            folded.push(plain);
        } else if is_styled(c) {
            folded.extend(c.nfkc());
        } else {
            folded.push(c);
        }
    }
    let image = is_image(&read);
    let folded: String = folded
        .nfc()
        .filter(|&c| image || !is_decoration(c))
        .collect();
    // Marks alone are what there is to read.
    if folded == word || folded.is_empty() {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(folded)
    }
}

/// A letter or digit whose compatibility form is letters and digits alone. Scripts whose everyday
/// letters have such forms (Thai, Lao, Tibetan, Korean jamo) are left as they are written.
fn is_styled(c: char) -> bool {
    let everyday = matches!(c as u32, 0..=0xA9 | 0xE00..=0xFFF | 0x1100..=0x11FF | 0x3130..=0x318F | 0xFFA0..=0xFFDC);
    !everyday
        && c.is_alphanumeric()
        && std::iter::once(c).nfkc().ne(std::iter::once(c).nfc())
        && std::iter::once(c)
            .nfkc()
            .all(|p| p.is_alphanumeric() || is_combining_mark(p))
}

/// The letter of a letter in parentheses, or on a black circle or square: Unicode gives them no plain
/// form, or one with the parentheses.
pub(in crate::tweet) fn enclosed(c: char) -> Option<char> {
    let c = u32::from(c);
    let plain = match c {
        0x249C..=0x24B5 => c - 0x249C + 0x61,
        0x1F110..=0x1F129 => c - 0x1F110 + 0x41,
        0x1F150..=0x1F169 => c - 0x1F150 + 0x41,
        0x1F170..=0x1F189 => c - 0x1F170 + 0x41,
        _ => return None,
    };
    char::from_u32(plain)
}

/// The letter of a small capital, which stands for a small letter in styled words (`Bᴀʀᴀᴄᴋ`): Unicode takes them for letters of
/// phonetic alphabets and gives them no plain form.
fn small_capital(c: char) -> Option<char> {
    const CAPITALS: &str = "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡxʏᴢ";
    if c.is_ascii() {
        return None;
    }
    let place = CAPITALS.chars().position(|capital| capital == c)?;
    (b'a'..=b'z').nth(place).map(char::from)
}

/// The hyphen of any other.
fn plain_mark(c: char) -> Option<char> {
    matches!(c, '\u{2010}' | '\u{2011}' | '\u{FE63}').then_some('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_emphasise_but_in_user_names() {
        for (words, expected) in [
            ("_ Houston _ is hot", "* Houston * is hot"),
            ("__ Ann __", "* Ann *"),
            ("RT @ann _ lee : hi _ Bob _", "RT @ann _ lee : hi * Bob *"),
            ("@a _ b _ c _ d and _ Ann _", "@a _ b _ c _ d and * Ann *"),
            ("@a and _ Ann", "@a and * Ann"),
            ("@a Ann _", "@a Ann *"),
            ("RT @ann _ : _ Bob _", "RT @ann _ : * Bob *"),
            ("＠ann _ lee", "@ann _ lee"),
            ("snake_case _", "snake_case *"),
        ] {
            let words: Vec<&str> = words.split(' ').collect();
            assert_eq!(fold_words(&words).join(" "), expected);
        }
    }

    #[test]
    fn styled_letters_fold_and_nothing_else_does() {
        for (text, expected) in [
            ("𝓑𝓪𝓻𝓪𝓬𝓴", "Barack"),
            ("𝐎𝒃𝖺𝚖𝕒", "Obama"),
            ("ＮＡＳＡ２", "NASA2"),
            ("＃ＮＡＳＡ", "#NASA"),
            ("ⓃⒶⓈⒶ", "NASA"),
            ("🄽🄰🅂🄰", "NASA"),
            ("🅝🅐🅢🅐", "NASA"),
            ("🅽🅰🆂🅰", "NASA"),
            ("⒩⒜", "na"),
            ("ᴮᵃʳᵃᶜᵏ", "Barack"),
            ("ªº²①", "ao21"),
            ("Bᴀʀᴀᴄᴋ ᴏʙᴀᴍᴀ ꜱꜰ", "Barack obama sf"),
            ("ғǫ", "ғǫ"),
            ("&#xⓐ9 &lte\u{301}", "© <é"),
            ("ɴғʟ ʀᴇǫ", "nfl req"),
            ("ℕ𝔸𝕊𝔸 𝔑𝔄𝔖𝔄 𝙽𝙰𝚂𝙰 ₁₂ₐ", "NASA NASA NASA 12a"),
            ("ⓑⓐⓡⓐⓒⓚ 𝟮𝟬𝟮𝟰 Ⅷ", "barack 2024 VIII"),
            ("ﬁﬂ", "fifl"),
            ("ｶﾞ", "ガ"),
            ("e\u{301}", "é"),
            ("Beyonce\u{301}", "Beyoncé"),
            ("O\u{336}b\u{336}a\u{336}m\u{336}a\u{336}", "Obama"),
            ("N\u{20DD}A\u{20E3}S\u{20DE}A\u{20E0}", "NASA"),
            ("O\u{334}\u{301}\u{352}\u{489}b\u{35C}a\u{FE20}", "Óba"),
            ("Москва\u{301}", "Москва"),
            ("Jay\u{2011}Z Spider\u{FF0D}Man", "Jay-Z Spider-Man"),
        ] {
            assert_eq!(fold(text), expected, "{text:?}");
            assert_eq!(fold(&fold(text)), expected);
        }
        for same in [
            "…",
            "™",
            "‼",
            "½",
            "№",
            "ภาษา",
            "น้ำ",
            "हिन्दी",
            "ㅋㅋㅋ",
            "서울",
            "é",
            "ß",
            "\u{FE0F}",
            "\u{200B}",
            "\u{20E2}\u{20E3}",
            "",
            "a&b",
        ] {
            assert_eq!(fold(same), same);
        }
    }
}
