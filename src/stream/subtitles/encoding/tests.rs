use super::*;
use proptest::prelude::*;

/// Sentences as they stand in subtitles, by the encodings that their languages come in.
const SAID: [(&str, &[Encoding]); 19] = [
    ("Ich weiß nicht, wo er ist. Vielleicht über die Brücke?", &[Encoding::Windows1252]),
    ("Où êtes-vous allé ? – Ça va, c’est déjà passé à l'hôtel.", &[Encoding::Windows1252]),
    ("¿Qué haces aquí? ¡Mañana será otro día, señor!", &[Encoding::Windows1252]),
    ("Não sei onde está a lição do coração.", &[Encoding::Windows1252]),
    ("Perché è così? Non c'è più nessuno in città.", &[Encoding::Windows1252]),
    ("Jag är på väg hem, sa han. Vi ses i övermorgon på ån.", &[Encoding::Windows1252]),
    ("Hvor går du hen? Jeg er på øen. Det er ærligt talt smukt.", &[Encoding::Windows1252]),
    ("Hvað ertu að gera þarna? Ég þarf að fá hjálp, núna!", &[Encoding::Windows1252]),
    ("Gdzie jesteś? Nie wiem, zgubiłem się. Źle się czuję, proszę.", &[Encoding::Windows1250, Encoding::Iso8859_2]),
    ("Kde jsi byl? Příliš žluťoučký kůň úpěl ďábelské ódy.", &[Encoding::Windows1250, Encoding::Iso8859_2]),
    ("Hová mész? Őszintén szólva nem tudom, kérlek, ülj le. Szűk a hely.", &[Encoding::Windows1250]),
    ("Što radiš ovdje? Već sam čekao cijelu noć, žao mi je. Đavo.", &[Encoding::Windows1250, Encoding::Iso8859_2]),
    ("Unde mergi? Îţi spun că nu ştiu, mâine poate.", &[Encoding::Windows1250]),
    (
        "Где ты был? Я ждал тебя всю ночь. Хорошо, пойдём.",
        &[Encoding::Windows1251, Encoding::Koi8R, Encoding::Iso8859_5],
    ),
    ("Де ти був? Я чекав на тебе всю ніч, їжак.", &[Encoding::Windows1251, Encoding::Iso8859_5]),
    ("Къде беше? Чаках те цяла нощ.", &[Encoding::Windows1251]),
    ("Где си био? Чекао сам те целу ноћ, Љубо.", &[Encoding::Windows1251, Encoding::Iso8859_5]),
    ("Πού ήσουν; Σε περίμενα όλη νύχτα. Καλά, πάμε.", &[Encoding::Windows1253]),
    ("Neredeydin? Bütün gece seni bekledim, şimdi değil. Işığı aç.", &[Encoding::Windows1254]),
];

fn file(said: &str) -> String {
    format!("1\r\n00:00:01,000 --> 00:00:03,000\r\n{said}\r\n\r\n2\r\n00:00:04,000 --> 00:00:05,000\r\nOK.\r\n")
}

fn written(text: &str, encoding: Encoding) -> Vec<u8> {
    let upper: Vec<char> = upper_half(encoding).chars().collect();
    let byte = |c: char| {
        let place = || upper.iter().position(|other| *other == c).unwrap_or_else(|| panic!("{c} in {encoding:?}"));
        if c.is_ascii() { u8::try_from(c).unwrap() } else { 0x80 + u8::try_from(place()).unwrap() }
    };
    text.chars().map(byte).collect()
}

#[test]
fn every_table_has_all_its_characters() {
    for (encoding, _) in ALPHABETS {
        assert_eq!(upper_half(encoding).chars().count(), 128, "{encoding:?}");
    }
}

#[test]
fn a_sentence_in_its_language_tells_how_it_is_written() {
    for (said, encodings) in SAID {
        for encoding in encodings {
            let said = if *encoding == Encoding::Windows1252 || *encoding == Encoding::Windows1250 {
                said.to_owned()
            } else {
                said.replace(['–', '’'], "-")
            };
            assert_eq!(Encoding::guess(&written(&file(&said), *encoding)), *encoding, "{said}");
        }
    }
}

#[test]
fn unicode_is_recognised_with_its_mark_and_without() {
    for (said, _) in SAID {
        let text = file(said);
        assert_eq!(Encoding::guess(text.as_bytes()), Encoding::Utf8);
        assert_eq!(Encoding::guess(format!("\u{feff}{text}").as_bytes()), Encoding::Utf8);
        for mark in ["\u{feff}", ""] {
            let units: Vec<u16> = format!("{mark}{text}").encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            assert_eq!(Encoding::guess(&little), Encoding::Utf16Le, "{said}");
            assert_eq!(Encoding::guess(&big), Encoding::Utf16Be, "{said}");
        }
    }
}

#[test]
fn one_broken_character_does_not_unmake_a_whole_file() {
    let mut bytes = file(&"Où êtes-vous allé ? ".repeat(20)).into_bytes();
    bytes.truncate(bytes.iter().rposition(|byte| *byte == 0xc3).unwrap() + 1);
    assert_eq!(Encoding::guess(&bytes), Encoding::Utf8);
}

#[test]
fn plain_ascii_is_utf_8_and_so_is_nothing_at_all() {
    assert_eq!(Encoding::guess(file("Hello").as_bytes()), Encoding::Utf8);
    assert_eq!(Encoding::guess(b""), Encoding::Utf8);
}

#[test]
fn labels_lead_back_to_their_encodings() {
    for encoding in Encoding::ALL {
        assert_eq!(Encoding::of_label(encoding.label()), Some(encoding));
    }
    assert_eq!(Encoding::of_label("latin-9000"), None);
}

proptest! {
    #[test]
    fn any_bytes_have_some_encoding(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = Encoding::guess(&bytes);
    }
}
