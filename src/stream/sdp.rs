//! The few lines of a session description that the browser's interface gives no other hold on.

/// Where a sender begins, in kbps. Chromium begins at 300 and takes half a minute to a sharp picture; a line that carries
/// less is found out within a second.
const START_KBPS: u32 = 2500;

/// Lets this end begin with a sharp picture: Chromium takes its first bitrate from the other end's description.
pub fn with_sharp_start(sdp: &str) -> String {
    let video: Vec<&str> = sdp.lines().filter_map(video_payload_type).collect();
    let mut out = String::with_capacity(sdp.len() + 256);
    for line in sdp.lines() {
        out.push_str(line);
        if let Some((payload, settings)) = line.strip_prefix("a=fmtp:").and_then(|rest| rest.split_once(' '))
            && video.contains(&payload)
            && !settings.contains("x-google-start-bitrate")
        {
            out.extend([";x-google-start-bitrate=", &START_KBPS.to_string()]);
        }
        out.push_str("\r\n");
    }
    out
}

/// Asks for stereo Opus at a film's bitrate (RFC 7587, section 6.1): without it Chromium sends 32 kbps mono. Both ends
/// apply it to their own descriptions; everything else is left as it is.
pub fn with_film_sound(sdp: &str) -> String {
    const WANTED: [(&str, &str); 4] =
        [("stereo", "1"), ("sprop-stereo", "1"), ("maxaveragebitrate", "192000"), ("cbr", "0")];
    let opus: Vec<&str> = sdp.lines().filter_map(opus_payload_type).collect();
    let mut out = String::with_capacity(sdp.len() + 128);
    for line in sdp.lines() {
        out.push_str(line);
        if let Some((payload, settings)) = line.strip_prefix("a=fmtp:").and_then(|rest| rest.split_once(' '))
            && opus.contains(&payload)
        {
            for (key, value) in WANTED {
                if !settings.split(';').any(|setting| setting.trim().starts_with(&format!("{key}="))) {
                    out.extend([";", key, "=", value]);
                }
            }
        }
        out.push_str("\r\n");
    }
    out
}

/// The codec that an offer prefers for the picture, such as `H264`.
pub fn first_picture_codec(sdp: &str) -> Option<&str> {
    let payload = sdp.lines().find_map(|line| line.strip_prefix("m=video "))?.split_whitespace().nth(2)?;
    let mut codecs = sdp.lines().filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' '));
    codecs.find(|(name, _)| *name == payload).and_then(|(_, codec)| codec.split('/').next())
}

/// A payload type that carries a picture by itself, no retransmission or repair.
fn video_payload_type(line: &str) -> Option<&str> {
    let (payload, codec) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
    let codec = codec.to_ascii_lowercase();
    ["h264/", "h265/", "vp8/", "vp9/", "av1/"].iter().any(|name| codec.starts_with(name)).then_some(payload)
}

fn opus_payload_type(line: &str) -> Option<&str> {
    let (payload, codec) = line.strip_prefix("a=rtpmap:")?.split_once(' ')?;
    codec.to_ascii_lowercase().starts_with("opus/48000").then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_opus_gets_stereo() {
        let sdp = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n";
        let sdp = with_film_sound(sdp);
        assert!(sdp.contains(
            "a=fmtp:111 minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=192000;cbr=0\r\n"
        ));
        assert!(sdp.contains("a=fmtp:63 111/111\r\n"));
    }

    #[test]
    fn every_picture_codec_starts_sharp() {
        let sdp = "a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1\r\na=rtpmap:103 rtx/90000\r\na=fmtp:103 apt=102\r\n";
        let sdp = with_sharp_start(sdp);
        assert!(sdp.contains("a=fmtp:102 packetization-mode=1;x-google-start-bitrate=2500\r\n"));
        assert!(sdp.contains("a=fmtp:103 apt=102\r\n"));
    }

    #[test]
    fn the_first_picture_codec_of_an_offer_is_the_one_it_prefers() {
        let sdp = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\nm=video 9 UDP/TLS/RTP/SAVPF 102 96\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:102 H264/90000\r\n";
        assert_eq!(first_picture_codec(sdp), Some("H264"));
        assert_eq!(first_picture_codec("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"), None);
    }

    proptest! {
        #[test]
        fn applying_it_twice_is_applying_it_once(sdp in "(a=rtpmap:1 opus/48000/2\r\n|a=fmtp:1 x=1\r\n|[ -~]{0,30}\r\n){0,10}") {
            let once = with_film_sound(&sdp);
            prop_assert_eq!(with_film_sound(&once), once);
        }
    }
}
