//! What the host reads of the quality that they send.

use super::Text;
use crate::domain::Language;
use crate::stream::{QualityChoice, Strain, UploadView};

/// The choices' group.
pub const QUALITY: Text = Text { en: "Quality", de: "Qualität" };
/// The meter.
pub const UPLOAD: Text = Text { en: "Upload", de: "Upload" };
/// The switch for relayed guests.
pub const SPARE_RELAYS: Text = Text { en: "Lower quality over relays", de: "Weniger Qualität über Relays" };
/// Beside that switch.
pub const SPARE_RELAYS_HINT: Text = Text {
    en: "Guests who are reached through a relay get at most 480p. Relayed data costs money.",
    de: "Gäste, die nur über ein Relay zu erreichen sind, bekommen höchstens 480p. Daten über Relays kosten Geld.",
};

/// The name of a choice.
pub fn choice(choice: QualityChoice) -> Text {
    match choice {
        QualityChoice::Auto => Text { en: "Auto", de: "Auto" },
        QualityChoice::Full => Text { en: "1080p", de: "1080p" },
        QualityChoice::Sharp => Text { en: "720p", de: "720p" },
        QualityChoice::Small => Text { en: "480p", de: "480p" },
        QualityChoice::SoundOnly => Text { en: "Sound only", de: "Nur Ton" },
    }
}

/// The meter in words: `3.2 of 7.5 Mbps`.
pub fn upload(upload: UploadView, language: Language) -> String {
    let used = mbps(upload.used_bits, language);
    match (upload.carries_bits, language) {
        (Some(carries), Language::English) => format!("{used} of {} Mbps", mbps(carries, language)),
        (Some(carries), Language::German) => format!("{used} von {} Mbps", mbps(carries, language)),
        (None, _) => format!("{used} Mbps"),
    }
}

/// What the host ought to know about it; nothing while all is well.
pub fn strain(upload: UploadView) -> Text {
    if upload.busy {
        return Text {
            en: "Your computer cannot encode more for so many. The picture is made smaller.",
            de: "Dein Computer schafft für so viele nicht mehr. Das Bild wird kleiner.",
        };
    }
    match upload.strain {
        Strain::Calm => Text::NONE,
        Strain::Tight => Text {
            en: "Your upload is nearly used up. Other transfers would cost picture quality now.",
            de: "Dein Upload ist fast ausgelastet. Andere Übertragungen würden jetzt Bildqualität kosten.",
        },
        Strain::Full => Text {
            en: "Your upload carries no more. The picture is made smaller.",
            de: "Dein Upload gibt nicht mehr her. Das Bild wird kleiner.",
        },
    }
}

fn mbps(bits: u64, language: Language) -> String {
    let (whole, tenth) = (bits / 1_000_000, bits % 1_000_000 / 100_000);
    match language {
        Language::English => format!("{whole}.{tenth}"),
        Language::German => format!("{whole},{tenth}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meter_reads_in_megabits() {
        let view = UploadView {
            used_bits: 3_200_000,
            carries_bits: Some(17_000_000),
            strain: Strain::Calm,
            busy: false,
            lines: Some(720),
        };
        assert_eq!(upload(view, Language::English), "3.2 of 17.0 Mbps");
        assert_eq!(upload(UploadView { carries_bits: None, ..view }, Language::German), "3,2 Mbps");
        assert_eq!(strain(view), Text::NONE);
    }
}
