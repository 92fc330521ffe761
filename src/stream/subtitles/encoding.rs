//! How a subtitle file is written, as far as its bytes tell: byte order mark, valid UTF-8, the zeros of UTF-16, and then
//! the language whose letters the bytes give with the fewest surprises.
//!
//! Only the guess is made here; browsers decode. Where it is wrong the host chooses from [`Encoding::ALL`].

use std::str;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Encoding {
    /// Nearly everything new.
    Utf8,
    /// From some editors on Windows.
    Utf16Le,
    /// The same, the other way round.
    Utf16Be,
    /// Western Europe; ISO-8859-1 and, but for the euro sign, -15.
    Windows1252,
    /// Central Europe.
    Windows1250,
    /// Central Europe, as other systems had it.
    Iso8859_2,
    /// Cyrillic.
    Windows1251,
    /// Cyrillic, as other systems had it.
    Koi8R,
    /// Cyrillic, hardly ever.
    Iso8859_5,
    /// Greek.
    Windows1253,
    /// Turkish; ISO-8859-9.
    Windows1254,
    /// Hebrew.
    Windows1255,
    /// Arabic.
    Windows1256,
    /// The Baltic languages.
    Windows1257,
    /// Chinese, simplified.
    Gb18030,
    /// Chinese, traditional.
    Big5,
    /// Japanese.
    ShiftJis,
    /// Korean.
    EucKr,
}

impl Encoding {
    /// All of them, as a menu lists them.
    pub const ALL: [Self; 18] = [
        Self::Utf8,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Windows1252,
        Self::Windows1250,
        Self::Iso8859_2,
        Self::Windows1251,
        Self::Koi8R,
        Self::Iso8859_5,
        Self::Windows1253,
        Self::Windows1254,
        Self::Windows1255,
        Self::Windows1256,
        Self::Windows1257,
        Self::Gb18030,
        Self::Big5,
        Self::ShiftJis,
        Self::EucKr,
    ];

    /// The name by which a browser's `TextDecoder` knows it (WHATWG Encoding).
    pub fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
            Self::Windows1250 => "windows-1250",
            Self::Iso8859_2 => "iso-8859-2",
            Self::Windows1251 => "windows-1251",
            Self::Koi8R => "koi8-r",
            Self::Iso8859_5 => "iso-8859-5",
            Self::Windows1253 => "windows-1253",
            Self::Windows1254 => "windows-1254",
            Self::Windows1255 => "windows-1255",
            Self::Windows1256 => "windows-1256",
            Self::Windows1257 => "windows-1257",
            Self::Gb18030 => "gb18030",
            Self::Big5 => "big5",
            Self::ShiftJis => "shift_jis",
            Self::EucKr => "euc-kr",
        }
    }

    /// The encoding of this label.
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.label() == label)
    }

    /// How these bytes seem to be written.
    pub fn guess(bytes: &[u8]) -> Self {
        marked(bytes).or_else(|| utf16(bytes)).or_else(|| utf8(bytes)).unwrap_or_else(|| by_letters(bytes))
    }
}

fn marked(bytes: &[u8]) -> Option<Encoding> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Some(Encoding::Utf8),
        [0xff, 0xfe, ..] => Some(Encoding::Utf16Le),
        [0xfe, 0xff, ..] => Some(Encoding::Utf16Be),
        _ => None,
    }
}

/// Times and line ends are ASCII in any language, and every second byte of ASCII is zero in UTF-16.
fn utf16(bytes: &[u8]) -> Option<Encoding> {
    let pairs = bytes.chunks_exact(2).take(2048);
    let (mut big, mut little, mut all) = (0, 0, 0);
    for pair in pairs {
        all += 1;
        big += usize::from(pair[0] == 0);
        little += usize::from(pair[1] == 0);
    }
    let many = |zeros: usize| zeros * 4 > all && all > 1;
    if many(little) && little > big {
        Some(Encoding::Utf16Le)
    } else if many(big) {
        Some(Encoding::Utf16Be)
    } else {
        None
    }
}

/// A few broken characters among many sound ones are a broken file, and no other encoding.
fn utf8(bytes: &[u8]) -> Option<Encoding> {
    let (mut sound, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        sound += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    (broken == 0 || sound > broken * 10).then_some(Encoding::Utf8)
}

/// A language, its letters beyond ASCII, and an encoding that it is written in. Of equals the first is taken.
const ALPHABETS: [(Encoding, &str); 31] = [
    (Encoding::Windows1252, "äöüß"),
    (Encoding::Windows1252, "éèàçêâîôûùëïœæüÿ"),
    (Encoding::Windows1252, "ñóíáúéü"),
    (Encoding::Windows1252, "áéíóúãõâêôçàü"),
    (Encoding::Windows1252, "àèéìòùíóî"),
    (Encoding::Windows1252, "åäöéü"),
    (Encoding::Windows1252, "åøæéôü"),
    (Encoding::Windows1252, "äöåéšžõü"),
    (Encoding::Windows1252, "ëéïóöüèêáí"),
    (Encoding::Windows1252, "áðéíóúýþæö"),
    (Encoding::Windows1252, "àéèíóúçïüòŀ"),
    (Encoding::Windows1250, "ąćęłńóśźż"),
    (Encoding::Windows1250, "áčďéěíňóřšťúůýž"),
    (Encoding::Windows1250, "áäčďéíľĺňóôŕšťúýž"),
    (Encoding::Windows1250, "áéíóöőúüű"),
    (Encoding::Windows1250, "čćđšž"),
    (Encoding::Windows1250, "ăâîşţ"),
    (Encoding::Iso8859_2, "ąćęłńóśźż"),
    (Encoding::Iso8859_2, "áčďéěíňóřšťúůýž"),
    (Encoding::Iso8859_2, "áäčďéíľĺňóôŕšťúýž"),
    (Encoding::Iso8859_2, "čćđšž"),
    (Encoding::Windows1251, "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
    (Encoding::Windows1251, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    (Encoding::Windows1251, "абвгдежзијклмнопрстуфхцчшђљњћџѓќѕ"),
    (Encoding::Windows1251, "абвгдеёжзійклмнопрстуўфхцчшыьэюя"),
    (Encoding::Koi8R, "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
    (Encoding::Iso8859_5, "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"),
    (Encoding::Iso8859_5, "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    (Encoding::Iso8859_5, "абвгдежзијклмнопрстуфхцчшђљњћџѓќѕ"),
    (Encoding::Windows1253, "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώ"),
    (Encoding::Windows1254, "çğıöşüâîûi"),
];

/// So much of a file decides.
const SAMPLE: usize = 64 * 1024;

fn by_letters(bytes: &[u8]) -> Encoding {
    let sample = &bytes[..bytes.len().min(SAMPLE)];
    let mut best = (i64::MIN, Encoding::Windows1252);
    for (encoding, alphabet) in ALPHABETS {
        let alphabet: Vec<char> = alphabet.chars().collect();
        let score = surprise(sample, encoding, &alphabet);
        if score > best.0 {
            best = (score, encoding);
        }
    }
    best.1
}

/// How well the bytes read as this language: letters of its own count for it, strange ones and strange places against it.
fn surprise(bytes: &[u8], encoding: Encoding, alphabet: &[char]) -> i64 {
    let upper_half: Vec<char> = upper_half(encoding).chars().collect();
    let read = |byte: u8| match byte {
        0..0x80 => char::from(byte),
        _ => upper_half.get(usize::from(byte - 0x80)).copied().unwrap_or('\u{fffd}'),
    };
    let latin = alphabet.iter().all(|letter| *letter < '\u{370}');
    let mut score = 0;
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| **byte >= 0x80) {
        let before = at.checked_sub(1).map_or(' ', |at| read(bytes[at]));
        let after = bytes.get(at + 1).map_or(' ', |byte| read(*byte));
        let c = read(*byte);
        let mixed = !latin && (before.is_ascii_alphabetic() || after.is_ascii_alphabetic());
        score += match c {
            '\u{fffd}' => -20,
            _ if c.is_alphabetic() && before.is_lowercase() && c.is_uppercase() => -4,
            _ if c.is_alphabetic() && mixed => -4,
            _ if alphabet.contains(&c) => 2,
            // A capital of the alphabet; the other way round, a small letter, is what texts are made of.
            _ if c.to_lowercase().next().is_some_and(|small| alphabet.contains(&small)) => 1,
            _ if c.is_alphabetic() => -3,
            '’' => 0,
            _ if before.is_alphabetic() && after.is_alphabetic() => -4,
            '“' | '”' | '„' | '‘' | '‚' | '–' | '—' | '…' | '«' | '»' | '¿' | '¡' | '°' | '-' | ' ' | '€' | '©' => {
                0
            }
            _ => -2,
        };
    }
    score
}

/// The characters of the bytes from 80 to FF.
fn upper_half(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Windows1252 => WINDOWS_1252,
        Encoding::Windows1250 => WINDOWS_1250,
        Encoding::Iso8859_2 => ISO_8859_2,
        Encoding::Windows1251 => WINDOWS_1251,
        Encoding::Koi8R => KOI8_R,
        Encoding::Iso8859_5 => ISO_8859_5,
        Encoding::Windows1253 => WINDOWS_1253,
        Encoding::Windows1254 => WINDOWS_1254,
        // Not guessed by their letters.
        Encoding::Utf8
        | Encoding::Utf16Le
        | Encoding::Utf16Be
        | Encoding::Windows1255
        | Encoding::Windows1256
        | Encoding::Windows1257
        | Encoding::Gb18030
        | Encoding::Big5
        | Encoding::ShiftJis
        | Encoding::EucKr => "",
    }
}

const WINDOWS_1252: &str = "\
    €�‚ƒ„…†‡ˆ‰Š‹Œ�Ž��‘’“”•–—˜™š›œ�žŸ ¡¢£¤¥¦§¨©ª«¬-®¯°±²³´µ¶·¸¹º»¼½¾¿\
    ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ";
const WINDOWS_1250: &str = "\
    €�‚�„…†‡�‰Š‹ŚŤŽŹ�‘’“”•–—�™š›śťžź ˇ˘Ł¤Ą¦§¨©Ş«¬-®Ż°±˛ł´µ¶·¸ąş»Ľ˝ľż\
    ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
const WINDOWS_1251: &str = "\
    ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—�™љ›њќћџ ЎўЈ¤Ґ¦§Ё©Є«¬-®Ї°±Ііґµ¶·ё№є»јЅѕї\
    АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя";
const ISO_8859_2: &str = "\
    �������������������������������� Ą˘Ł¤ĽŚ§¨ŠŞŤŹ-ŽŻ°ą˛ł´ľśˇ¸šşťź˝žż\
    ŔÁÂĂÄĹĆÇČÉĘËĚÍÎĎĐŃŇÓÔŐÖ×ŘŮÚŰÜÝŢßŕáâăäĺćçčéęëěíîďđńňóôőö÷řůúűüýţ˙";
const KOI8_R: &str = "\
    ─│┌┐└┘├┤┬┴┼▀▄█▌▐░▒▓⌠■∙√≈≤≥ ⌡°²·÷═║╒ё╓╔╕╖╗╘╙╚╛╜╝╞╟╠╡Ё╢╣╤╥╦╧╨╩╪╫╬©\
    юабцдефгхийклмнопярстужвьызшэщчъЮАБЦДЕФГХИЙКЛМНОПЯРСТУЖВЬЫЗШЭЩЧЪ";
const WINDOWS_1253: &str = "\
    €�‚ƒ„…†‡�‰�‹�����‘’“”•–—�™�›���� ΅Ά£¤¥¦§¨©�«¬-®―°±²³΄µ¶·ΈΉΊ»Ό½ΎΏ\
    ΐΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡ�ΣΤΥΦΧΨΩΪΫάέήίΰαβγδεζηθικλμνξοπρςστυφχψωϊϋόύώ�";
const WINDOWS_1254: &str = "\
    €�‚ƒ„…†‡ˆ‰Š‹Œ����‘’“”•–—˜™š›œ��Ÿ ¡¢£¤¥¦§¨©ª«¬-®¯°±²³´µ¶·¸¹º»¼½¾¿\
    ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏĞÑÒÓÔÕÖ×ØÙÚÛÜİŞßàáâãäåæçèéêëìíîïğñòóôõö÷øùúûüışÿ";
const ISO_8859_5: &str = "\
    �������������������������������� ЁЂЃЄЅІЇЈЉЊЋЌ-ЎЏАБВГДЕЖЗИЙКЛМНОП\
    РСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя№ёђѓєѕіїјљњћќ§ўџ";

#[cfg(test)]
mod tests;
