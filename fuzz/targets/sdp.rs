//! Session descriptions, which a page hands to its browser once they are changed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tessro::stream::sdp;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let _codec = sdp::first_picture_codec(&text);
    for change in [sdp::with_film_sound, sdp::with_sharp_start] {
        let once = change(&text);
        assert_eq!(change(&once), once, "a change that was made is not made again");
    }
});
