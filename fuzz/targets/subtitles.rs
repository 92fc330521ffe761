//! Subtitles: what encoding a file is in, and what stands in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tessro::stream::subtitles;

fuzz_target!(|bytes: &[u8]| {
    let _encoding = subtitles::Encoding::guess(bytes);
    for cue in subtitles::parse(&String::from_utf8_lossy(bytes)) {
        assert!(cue.start_ms < cue.end_ms && !subtitles::spans(&cue.text).is_empty(), "{cue:?}");
    }
});
