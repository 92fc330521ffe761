//! What the host reads of the quality that they send.

use crate::stream::{QualityChoice, Strain, UploadView};

/// The choices' group.
pub const QUALITY: &str = "Quality";
/// The meter.
pub const UPLOAD: &str = "Upload";
/// The switch for relayed guests.
pub const SPARE_RELAYS: &str = "Lower quality over relays";
/// Beside that switch.
pub const SPARE_RELAYS_HINT: &str =
    "Guests who are reached through a relay get at most 480p. Relayed data costs money.";

/// The name of a choice.
pub fn choice(choice: QualityChoice) -> &'static str {
    match choice {
        QualityChoice::Auto => "Auto",
        QualityChoice::Full => "1080p",
        QualityChoice::Sharp => "720p",
        QualityChoice::Small => "480p",
        QualityChoice::SoundOnly => "Sound only",
    }
}

/// The meter in words: `3.2 of 7.5 Mbps`.
pub fn upload(upload: UploadView) -> String {
    match upload.carries_bits {
        Some(carries) => format!("{} of {} Mbps", mbps(upload.used_bits), mbps(carries)),
        None => format!("{} Mbps", mbps(upload.used_bits)),
    }
}

/// What the host ought to know about it; nothing while all is well.
pub fn strain(upload: UploadView) -> &'static str {
    if upload.busy {
        return "Your computer cannot encode more for so many. The picture is made smaller.";
    }
    match upload.strain {
        Strain::Calm => "",
        Strain::Tight => "Your upload is nearly used up. Other transfers would cost picture quality now.",
        Strain::Full => "Your upload carries no more. The picture is made smaller.",
    }
}

fn mbps(bits: u64) -> String {
    format!("{}.{}", bits / 1_000_000, bits % 1_000_000 / 100_000)
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
        assert_eq!(upload(view), "3.2 of 17.0 Mbps");
        assert_eq!(upload(UploadView { carries_bits: None, ..view }), "3.2 Mbps");
        assert_eq!(strain(view), "");
    }
}
