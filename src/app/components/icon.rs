//! Small drawings beside words; never the only thing that says something.

use leptos::prelude::*;

/// Which drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// A reel's frame with a plus.
    Film,
    /// Two sheets.
    Copy,
    /// A tick.
    Done,
    /// A speaker that sounds.
    Sound,
    /// Four corners.
    FullScreen,
    /// A door and an arrow.
    Leave,
    /// A turning arrow.
    Again,
    /// A triangle.
    Play,
    /// Two bars.
    Pause,
    /// A speaker with a cross.
    Silence,
    /// Four corners that point inwards.
    Shrink,
    /// A screen with a small one in it.
    PictureInPicture,
    /// A keyboard.
    Keys,
    /// A cross.
    Close,
    /// A speech bubble.
    Chat,
    /// A paper plane.
    Send,
    /// A square code.
    Code,
    /// Three dots.
    More,
    /// A padlock.
    Lock,
    /// A screen on its foot.
    Screen,
    /// A camera.
    Camera,
    /// A square.
    Stop,
    /// A plus.
    Add,
    /// Lines in a frame.
    Subtitles,
}

/// One drawing of 24 by 24, in the colour of the text.
#[component]
pub fn Icon(
    /// Which.
    sign: Sign,
) -> impl IntoView {
    let path = match sign {
        Sign::Film => "M4 5h16v14H4zM8 5v14M16 5v14M4 9.5h4M4 14.5h4M16 9.5h4M16 14.5h4",
        Sign::Copy => "M9 9h11v11H9zM5 15H4V4h11v1",
        Sign::Done => "M5 12.5l4.5 4.5L19 7.5",
        Sign::Sound => "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11",
        Sign::FullScreen => "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
        Sign::Leave => "M14 4H5v16h9M10 12h10M16.5 8.5L20 12l-3.5 3.5",
        Sign::Screen => "M3 5h18v11H3zM9 20h6M12 16v4",
        Sign::Camera => "M3 7h12v10H3zM15 10.5l6-3v9l-6-3",
        Sign::Stop => "M6 6h12v12H6z",
        Sign::Add => "M12 5v14M5 12h14",
        Sign::Subtitles => "M3 5h18v14H3zM7 15h4M14 15h3M7 11.5h2M12 11.5h5",
        Sign::Again => "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
        Sign::Play => "M7.5 5v14l11-7z",
        Sign::Pause => "M8 5v14M16 5v14",
        Sign::Silence => "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
        Sign::Shrink => "M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5",
        Sign::PictureInPicture => "M4 5h16v14H4zM12 12h6v5h-6z",
        Sign::Keys => "M3 6.5h18v11H3zM6.5 10h.01M10 10h.01M14 10h.01M17.5 10h.01M8 14h8",
        Sign::Close => "M6 6l12 12M18 6L6 18",
        Sign::Chat => "M4 5h16v11H11l-4.5 4v-4H4z",
        Sign::Send => "M4 12l16-7-6 15-3-6.5z",
        Sign::Code => "M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5M20 14v6h-6M20 17h-1",
        Sign::More => "M5 12h.01M12 12h.01M19 12h.01",
        Sign::Lock => "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    };
    view! {
        <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
            <path d=path />
        </svg>
    }
}
