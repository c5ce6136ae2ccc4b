//! Character references, `&eacute;`, and what they mean.

use crate::tweet::reading::half_width;
use std::collections::HashMap;
use std::sync::LazyLock;

/// How often what is escaped already is escaped again: programs do that hand tweets on.
pub(super) const MOST_ESCAPES: usize = 4;

/// The longest name of a reference.
const LONGEST: usize = 32;

/// The character that the reference at the start of `text` means, and its length; `&` of an escaped
/// reference takes what follows with it.
pub(super) fn reference(text: &str) -> Option<(char, usize)> {
    let (mut c, mut length) = escape(text.strip_prefix('&')?).map(|(c, n)| (c, n + 1))?;
    for _ in 0..MOST_ESCAPES {
        match escape(&text[length..]) {
            Some((inner, more)) if c == '&' => (c, length) = (inner, length + more),
            _ => break,
        }
    }
    Some((c, length))
}

/// What stands after the `&` of a reference.
fn escape(rest: &str) -> Option<(char, usize)> {
    if let Some(number) = rest.strip_prefix('#') {
        let (digits, radix, before) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16, 2),
            None => (number, 10, 1),
        };
        let count = digits
            .bytes()
            .take_while(|b| char::from(*b).is_digit(radix))
            .count();
        if count == 0 {
            return None;
        }
        let value = u32::from_str_radix(&digits[..count], radix).unwrap_or(u32::MAX);
        let closed = digits.as_bytes().get(count) == Some(&b';');
        // Without its `;` it means a sign, or a letter of Latin-1: others are ranks, teams and years (`R&B&#1`, `#Chiefs&#49ers`,
        // `Biden&#2020`).
        let open = matches!(value,
            9 | 10 | 13 | 32..=47 | 58..=64 | 91..=96 | 123..=126 | 128..=255 | 0x2010..=0x2122);
        return (closed || open)
            .then(|| (number_means(value), before + count + usize::from(closed)));
    }
    // No word begins so, and browsers want no `;` behind it.
    if let Some(after) = rest.strip_prefix("nbsp") {
        return Some(('\u{A0}', 4 + usize::from(after.starts_with(';'))));
    }
    let count = rest
        .bytes()
        .take(LONGEST)
        .take_while(u8::is_ascii_alphanumeric)
        .count();
    let named = NAMES.get(&rest[..count]).copied();
    let next = rest.as_bytes().get(count);
    match (named, next) {
        (Some(c), Some(b';')) => Some((c, count + 1)),
        // `&regId=1`: what a link asks for.
        _ if next == Some(&b'=') => None,
        // HTML knows the letters of Latin-1 without it too; a name of three letters may be a word.
        (Some(c), _) if count > 3 && is_latin_1(c) => Some((c, count)),
        _ => unclosed(rest).or_else(|| letter_inside(&rest[..count])),
    }
}

/// The letter of Latin-1 whose name, without its `;`, begins a word, as browsers read it: `Bj&oumlrk`. `&thorn` may be one (`R&thornton`).
fn letter_inside(word: &str) -> Option<(char, usize)> {
    /// The longest of their names: `Ccedil`, `Agrave`.
    const LONGEST: usize = 6;
    let mut lengths = (4..=LONGEST.min(word.len())).rev();
    lengths.find_map(|length| {
        let c = *NAMES.get(&word[..length])?;
        let fits = is_latin_1(c) && !matches!(c, 'þ' | 'Þ');
        fits.then_some((c, length))
    })
}

/// Whether a character is a letter of Latin-1 beyond ASCII.
fn is_latin_1(c: char) -> bool {
    matches!(c, 'À'..='ÿ') && c.is_alphabetic()
}

/// The sign whose name stands without its `;`, as HTML reads it: before a name or a number. Before small
/// letters it may be a word (`R&regret`). Where nothing follows, `&lt` and its like are words of their own.
fn unclosed(rest: &str) -> Option<(char, usize)> {
    /// Those that HTML knows so, no other names of the same signs.
    const SIGNS: [&str; 35] = [
        "lt", "gt", "amp", "quot", "copy", "reg", "laquo", "raquo", "middot", "sect", "para",
        "deg", "pound", "yen", "cent", "iexcl", "iquest", "times", "divide", "not", "shy", "sup1",
        "sup2", "sup3", "frac14", "frac12", "frac34", "macr", "acute", "cedil", "uml", "ordf",
        "ordm", "plusmn", "micro",
    ];
    let name = SIGNS.into_iter().find(|name| rest.starts_with(name))?;
    let sign = *NAMES.get(name)?;
    let next = rest[name.len()..].chars().next();
    let named = next.is_some_and(|c| c.is_alphanumeric() && !c.is_ascii_lowercase());
    let alone = !sign.is_ascii()
        && next.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '&' | '_' | '-'));
    (named || alone).then_some((sign, name.len()))
}

/// The character of a numeric reference, after HTML 5: those of Windows-1252 for 128..=159, U+FFFD
/// for what is no character.
fn number_means(value: u32) -> char {
    const WINDOWS: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž',
        '\u{8F}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}',
        'ž', 'Ÿ',
    ];
    match value {
        0 => '\u{FFFD}',
        0x80..=0x9F => WINDOWS[value as usize - 0x80],
        _ => char::from_u32(value).map_or('\u{FFFD}', half_width),
    }
}

/// The names that HTML has for single characters.
static NAMES: LazyLock<HashMap<&str, char>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (name, value) = line.split_once(' ')?;
        Some((name, char::from_u32(u32::from_str_radix(value, 16).ok()?)?))
    };
    include_str!("references.txt")
        .lines()
        .filter_map(line)
        .collect()
});

#[cfg(test)]
mod tests {
    use crate::tweet::reading::read;

    #[test]
    fn references_are_the_characters_they_mean() {
        for (text, expected) in [
            (
                "O&#39;Neal O&#x27;Neal O&#X0027;Neal O&apos;Neal",
                "O'Neal O'Neal O'Neal O'Neal",
            ),
            ("Beyonc&eacute; &Aacute; &zcaron; &hearts;", "Beyoncé Á ž ♥"),
            ("Beyonc&eacute Bj&oumlrk M&eth", "Beyoncé Björk M&eth"),
            (
                "S&atildeo Citro&eumln &Ccedilelik ?a=1&eacutez=2 R&thornton &ETHan",
                "São Citroën Çelik ?a=1&eacutez=2 R&thornton &ETHan",
            ),
            (
                "&ltObama&gt; &quotParis&quot AT&ampT &amp;lt東 &lt3 &gtÉ",
                "<Obama> \"Paris&quot AT&T <東 <3 >É",
            ),
            (
                "&lt &gt. &amp, &ltd rock&regret &copyright &copy=1 &regId=1 &reg&b &reg-x",
                "&lt &gt. &amp, &ltd rock&regret &copyright &copy=1 &regId=1 &reg&b &reg-x",
            ),
            (
                "&copy 2024 NASA&reg, &copyNASA &copy",
                "© 2024 NASA®, ©NASA ©",
            ),
            (
                "&OpenCurlyQuote;&CloseCurlyQuote;&rsquor;&lsquor;&ldquor;&rdquor;",
                "‘’’‚„”",
            ),
            ("&COPY;&REG;&TRADE;&mldr;&bullet;&half;", "©®™…•½"),
            (
                "a&numsp;b&puncsp;c&NonBreakingSpace;d&MediumSpace;e",
                "a\u{2007}b\u{2008}c\u{A0}d\u{205F}e",
            ),
            (
                "&lsquo;&rsquo;&ldquo;&rdquo;&ndash;&mdash;&hellip;&euro;&trade;",
                "‘’“”–—…€™",
            ),
            ("&#8217;&#x2019;&#X2019;&#08217;&#x02019;", "’’’’’"),
            ("&lt;3 &amp; &gt; &quot;", "<3 & > \""),
            ("O&amp;#39;Neal &amp;amp; &amp;amp;amp;lt;", "O'Neal & <"),
            (
                "Beyonc&#233 &#147Obama&#148 Obama&#146s &#64nasa &#35Boeing a&#44b a&#32b R&B&#7 #A&#49ers &#76 B&#2020",
                "Beyoncé “Obama” Obama’s @nasa #Boeing a,b a b R&B&#7 #A&#49ers &#76 B&#2020",
            ),
            (
                "Obama&#000000000000000000000000000000000000000000039;s &#x00000000000000000000000000000000000027;",
                "Obama's '",
            ),
            (
                "&laquo Obama &raquo. 5&pound &deg &frac12 &iexclHola &notit &centred &sect=1",
                "« Obama ». 5£ ° ½ ¡Hola &notit &centred &sect=1",
            ),
            (
                "&lang;a&rang; Bar&ic;ack &Nopf;&Afr; x&DotDot; &ell; &block; &rarr;",
                "⟨a⟩ Barack NA x\u{20DC} l █ →",
            ),
            (
                "http://bbc.com/?a&eacute=b &&#35;39; &#0;",
                "http://bbc.com/?a&eacute=b ' \u{FFFD}",
            ),
            (
                "It&#39s R&B&#1 &amp &nosuch; &; &#; &#x; &",
                "It's R&B&#1 &amp &nosuch; &; &#; &#x; &",
            ),
            (
                "&#146;&#0;&#xD800;&#99999999999;",
                "’\u{FFFD}\u{FFFD}\u{FFFD}",
            ),
            ("a&nbsp;b&zwj;c&#8203;d&shy;e", "a\u{A0}bcde"),
            ("a&nbspb &amp;nbsp", "a\u{A0}b \u{A0}"),
            ("&Alpha;&alpha;&yuml;&commat;&num;", "Ααÿ@#"),
            ("&am\u{200B}p; &\u{FE0F}#3\u{AD}9;", "& '"),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
            assert_eq!(read(&read(text)), expected);
        }
    }
}
