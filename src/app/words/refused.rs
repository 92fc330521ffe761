//! What stands beside a field or button that was refused. Servers answer with codes; the sentences are these.

use super::Text;
use crate::domain::Language;
use crate::stream::{FilmFault, Problem};

/// Beside what was refused.
pub fn problem(problem: Problem) -> Text {
    match problem {
        Problem::WrongCode => Text {
            en: "A session code has six characters, such as K7M3QX, and none that look alike: no B, I, L, O, S, U, Z, 0, 1, 2, 5 or 8.",
            de: "Der Code einer Runde hat sechs Zeichen, etwa K7M3QX, und keine, die sich ähneln: kein B, I, L, O, S, U, Z, 0, 1, \
                 2, 5 oder 8.",
        },
        Problem::CannotEnter => Text {
            en: "There is no session with this code, or it has another password. Check both, or ask your host for a new link.",
            de: "Eine Runde mit diesem Code gibt es nicht, oder sie hat ein anderes Passwort. Prüf beides oder lass dir einen \
                 neuen Link geben.",
        },
        Problem::SessionLocked => Text {
            en: "The host has locked this session. Ask them to open it for you.",
            de: "Der Host hat diese Runde abgeschlossen. Bitte darum, dass sie für dich geöffnet wird.",
        },
        Problem::PasswordTooLong => {
            Text { en: "A password has at most 100 characters.", de: "Ein Passwort hat höchstens 100 Zeichen." }
        }
        Problem::NameTooLong => {
            Text { en: "A name has at most 40 characters.", de: "Ein Name hat höchstens 40 Zeichen." }
        }
        Problem::SessionFull => Text {
            en: "This session is full. As soon as somebody leaves, you can join.",
            de: "Diese Runde ist voll. Sobald jemand geht, kannst du dazukommen.",
        },
        Problem::ServerFull => Text {
            en: "The server takes no more sessions right now. Try again in a little while.",
            de: "Der Server nimmt gerade keine weiteren Runden an. Versuch es gleich noch einmal.",
        },
        Problem::ServerAway => Text {
            en: "The server cannot be reached. Check your connection and try again.",
            de: "Der Server ist nicht zu erreichen. Prüf deine Verbindung und versuch es noch einmal.",
        },
        Problem::NotLoaded => Text {
            en: "The rest of this page could not be loaded. Try again, or reload the page.",
            de: "Der Rest dieser Seite ließ sich nicht laden. Versuch es noch einmal oder lade die Seite neu.",
        },
        Problem::TooManyTries => Text {
            en: "Too many tries. Wait a minute, then try again.",
            de: "Zu viele Versuche. Warte eine Minute und versuch es dann noch einmal.",
        },
        Problem::CannotCopy => Text {
            en: "Your browser does not let us copy. Select the link and copy it by hand.",
            de: "Dein Browser lässt uns nicht kopieren. Markier den Link und kopier ihn von Hand.",
        },
        Problem::CannotCapture => Text {
            en: "This browser cannot stream a file. Chrome, Edge and Firefox on a computer can.",
            de: "Dieser Browser kann keine Datei streamen. Chrome, Edge und Firefox am Computer können es.",
        },
        Problem::ResumedElsewhere => Text {
            en: "The session goes on in another tab of this browser. Watch it there.",
            de: "Die Runde läuft in einem anderen Tab dieses Browsers weiter. Schau dort weiter.",
        },
    }
}

/// Why a chosen file does not play.
pub fn film_problem(file: &str, fault: FilmFault, language: Language) -> String {
    let why = match fault {
        FilmFault::Unreadable => Text {
            en: "The file could not be read to its end. Is the disk still there?",
            de: "Die Datei ließ sich nicht bis zum Ende lesen. Ist die Festplatte noch da?",
        },
        FilmFault::Damaged => Text {
            en: "The file is damaged, or uses a format that this browser cannot decode.",
            de: "Die Datei ist beschädigt oder hat ein Format, das dieser Browser nicht versteht.",
        },
        FilmFault::UnknownFormat => Text {
            en: "This browser does not know the file's format. MP4 with H.264 and AAC, or WebM, plays everywhere.",
            de: "Dieser Browser kennt das Format der Datei nicht. MP4 mit H.264 und AAC oder WebM läuft überall.",
        },
    };
    let why = why.to(language);
    match language {
        Language::English => format!("“{file}” does not play. {why}"),
        Language::German => format!("„{file}“ lässt sich nicht abspielen. {why}"),
    }
}
