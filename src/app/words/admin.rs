//! What an operator reads.

mod amounts;
mod deeds;
mod elsewhere;
mod meters;
mod outcomes;

pub use amounts::*;
pub use deeds::{question, said};
pub use elsewhere::*;
pub use meters::*;
pub use outcomes::*;

use super::Text;
use crate::domain::Language;
use crate::protocol::{AdminView, MonthSoFar, PathNow, ProviderStanding, StageKind};
use crate::stream::admin::{AdminPage, Door, Refused};

/// The page's heading and its title.
pub const ADMIN: Text = Text { en: "Operations", de: "Betrieb" };
/// What it is, before anybody is in.
pub const ADMIN_INTRO: Text = Text {
    en: "What is relayed, by whom, what it comes to, and how connections fare. For whoever runs this server.",
    de: "Was über Relays läuft, bei wem, worauf es hinausläuft und wie es den Verbindungen geht. Für alle, die diesen \
         Server betreiben.",
};
/// The field.
pub const TOKEN: Text = Text { en: "Admin token", de: "Admin-Token" };
/// Beside the field.
pub const TOKEN_HINT: Text = Text {
    en: "ADMIN_TOKEN of this server. It stays in this page’s memory and is gone when you close or reload it.",
    de: "ADMIN_TOKEN dieses Servers. Es bleibt im Speicher dieser Seite und ist weg, sobald du sie schließt oder neu lädst.",
};
/// Asks to be let in.
pub const ENTER: Text = Text { en: "Open", de: "Öffnen" };
/// While the server is asked.
pub const ENTERING: Text = Text { en: "Opening…", de: "Wird geöffnet …" };
/// Goes.
pub const LOCK: Text = Text { en: "Lock the page", de: "Seite sperren" };
/// It changes by itself.
pub const LIVE: Text = Text { en: "Live", de: "Live" };
/// It does not.
pub const NOT_LIVE: Text = Text { en: "Not live, retrying", de: "Nicht live, neuer Versuch läuft" };

/// Heading of the month's figures.
pub const THIS_MONTH: Text = Text { en: "This month", de: "Dieser Monat" };
/// What counts.
pub const RELAYED: Text = Text { en: "Relayed", de: "Über Relays" };
/// What is set aside.
pub const RESERVED: Text = Text { en: "Set aside", de: "Vorgemerkt" };
/// Beside it.
pub const RESERVED_HINT: Text =
    Text { en: "for connections that are open", de: "für Verbindungen, die gerade laufen" };
/// What it is going to be.
pub const FORECAST: Text = Text { en: "By the end of the month", de: "Bis zum Monatsende" };
/// Before there is one.
pub const NO_FORECAST: Text = Text { en: "This server makes no forecast.", de: "Dieser Server macht keine Prognose." };
/// Money.
pub const COST: Text = Text { en: "Cost so far", de: "Kosten bisher" };
/// Before there are prices.
pub const NO_COST: Text = Text { en: "No prices are known here.", de: "Hier sind keine Preise bekannt." };
/// Money by time.
pub const COST_OF_AN_HOUR: Text = Text { en: "Cost of an hour", de: "Kosten einer Stunde" };
/// How long people watched.
pub const WATCHED: Text = Text { en: "Watched", de: "Geschaut" };
/// Where nobody measured.
pub const ALL_MEASURED: Text = Text { en: "all of it measured", de: "alles gemessen" };
/// Heading of the chart by day.
pub const DAYS: Text = Text { en: "Day by day", de: "Tag für Tag" };
/// Over its lower part.
pub const EACH_DAY: Text = Text { en: "Each day", de: "Je Tag" };
/// Heading of the chart of hours.
pub const HOURS: Text = Text { en: "Today by the hour (UTC)", de: "Heute nach Stunden (UTC)" };
/// The button that opens the table.
pub const AS_TABLE: Text = Text { en: "As a table", de: "Als Tabelle" };
/// A column.
pub const DAY: Text = Text { en: "Day", de: "Tag" };
/// A column.
pub const HOUR: Text = Text { en: "Hour", de: "Stunde" };
/// A column.
pub const TOTAL: Text = Text { en: "Total", de: "Zusammen" };
/// Where the ledger does not tell.
pub const NO_DAYS: Text = Text {
    en: "The ledger’s days cannot be read. The sum above holds all the same.",
    de: "Die Tage im Kassenbuch sind nicht lesbar. Die Summe oben stimmt trotzdem.",
};
/// Where nothing ran.
pub const NOTHING_THIS_MONTH: Text =
    Text { en: "Nothing has been relayed this month.", de: "In diesem Monat lief noch nichts über Relays." };
/// Where nothing ran today.
pub const NOTHING_TODAY: Text =
    Text { en: "Nothing has been relayed today.", de: "Heute lief noch nichts über Relays." };
/// A series that is nobody's.
pub const NOBODYS: Text = Text { en: "Unknown relay", de: "Unbekanntes Relay" };

/// Heading.
pub const PROVIDERS: Text = Text { en: "Providers", de: "Anbieter" };
/// Where there are none.
pub const NO_PROVIDERS: Text = Text {
    en: "No provider is configured: connections that cannot be direct fail. Set a provider’s variables in .env.",
    de: "Kein Anbieter ist eingerichtet: Verbindungen, die nicht direkt gehen, scheitern. Setz die Variablen eines \
         Anbieters in .env.",
};
/// Row label.
pub const COUNTED: Text = Text { en: "Our count", de: "Unsere Zählung" };
/// Row label.
pub const SAID: Text = Text { en: "Its own count", de: "Eigene Zählung" };
/// Row label.
pub const DRIFT: Text = Text { en: "Drift", de: "Abweichung" };
/// Row label.
pub const RELAY: Text = Text { en: "Relay", de: "Relay" };
/// Row label.
pub const LIMIT: Text = Text { en: "Its limit", de: "Eigenes Limit" };
/// Row label.
pub const PRICE: Text = Text { en: "Price per GB", de: "Preis pro GB" };
/// Row label.
pub const PROVIDER_COST: Text = Text { en: "Cost", de: "Kosten" };
/// Row label.
pub const LAST_ERROR: Text = Text { en: "Last error", de: "Letzter Fehler" };
/// Where nobody knows.
pub const NOT_KNOWN: Text = Text { en: "not known", de: "nicht bekannt" };
/// Where nothing was tried.
pub const NOT_TRIED: Text = Text { en: "not tried yet", de: "noch nicht ausprobiert" };
/// Where nothing came back.
pub const NO_ECHO: Text = Text { en: "no answer", de: "keine Antwort" };
/// Where there was none.
pub const NO_ERROR: Text = Text { en: "none since the start", de: "keiner seit dem Start" };
/// A button.
pub const PAUSE: Text = Text { en: "Pause", de: "Anhalten" };
/// A button.
pub const GO_ON: Text = Text { en: "Let it go on", de: "Weiterlaufen lassen" };

/// Heading.
pub const CONNECTIONS: Text = Text { en: "Connections now", de: "Verbindungen jetzt" };
/// Where there are none.
pub const NO_CONNECTIONS: Text = Text { en: "Nobody is watching.", de: "Gerade schaut niemand." };
/// Heading.
pub const SESSIONS: Text = Text { en: "Sessions", de: "Runden" };
/// Beside it.
pub const SESSIONS_HINT: Text = Text {
    en: "Known by random identifiers only: the ledger has no names, codes or addresses.",
    de: "Nur als zufällige Kennungen: Im Kassenbuch stehen keine Namen, Codes oder Adressen.",
};
/// Where there are none.
pub const NO_SESSIONS: Text = Text {
    en: "No session this month has relayed anything, and none is open.",
    de: "Keine Runde hat in diesem Monat ein Relay gebraucht, und keine läuft.",
};
/// A session.
pub const SESSION: Text = Text { en: "Session", de: "Runde" };
/// A guest.
pub const GUEST: Text = Text { en: "Guest", de: "Gast" };
/// It is over.
pub const OVER: Text = Text { en: "over", de: "vorbei" };
/// A button.
pub const END_SESSION: Text = Text { en: "End session", de: "Runde beenden" };
/// A button.
pub const END_RELAY: Text = Text { en: "End relay", de: "Relay beenden" };
/// Row label.
pub const BITRATE: Text = Text { en: "Bitrate", de: "Bitrate" };
/// Row label.
pub const ROUND_TRIP: Text = Text { en: "Round trip", de: "Laufzeit" };
/// Row label.
pub const PATH: Text = Text { en: "Path", de: "Weg" };
/// Row label.
pub const PEOPLE: Text = Text { en: "People", de: "Leute" };
/// Shuts a question without doing anything.
pub const KEEP: Text = Text { en: "Leave it as it is", de: "So lassen" };
/// Where the books cannot be read.
pub const SUMS_ONLY: Text = Text {
    en: "The ledger can only be read in sums: days, hours and sessions are missing. Look into the server’s log.",
    de: "Vom Kassenbuch sind nur Summen lesbar: Tage, Stunden und Runden fehlen. Schau ins Log des Servers.",
};

/// Where nothing can be written.
pub const NOT_COUNTED: Text = Text {
    en: "Nothing is counted at the moment: the ledger cannot be written. Look at the disk and into the server’s log.",
    de: "Im Moment wird nichts gezählt: Das Kassenbuch lässt sich nicht schreiben. Sieh nach der Festplatte und ins Log des \
         Servers.",
};

/// Where one of several machines hears nothing of the others.
pub const APART: Text = Text {
    en: "This machine does not hear the others: what they relay now is missing here, and nothing is relayed beyond what this one was \
         lent. See that Redis runs and is reached (REDIS_URL).",
    de: "Dieser Server hört nichts von den anderen: Was sie jetzt weiterleiten, fehlt hier, und mehr als sein eigener Anteil wird nicht \
         weitergeleitet. Sieh nach, ob Redis läuft und erreichbar ist (REDIS_URL).",
};

/// Why the token was not taken, and what to do.
pub fn refused(why: Refused, language: Language) -> String {
    let text = match why {
        Refused::WrongToken => Text {
            en: "That is not the token. It stands as ADMIN_TOKEN in the server’s .env or environment.",
            de: "Das ist nicht das Token. Es steht als ADMIN_TOKEN in der .env oder Umgebung des Servers.",
        },
        Refused::NoToken => Text {
            en: "This server has no token, so nobody gets in. Put ADMIN_TOKEN= and the output of “openssl rand -hex 24” into \
                 its .env, and start it again.",
            de: "Dieser Server hat kein Token, also kommt niemand hinein. Schreib ADMIN_TOKEN= und die Ausgabe von „openssl \
                 rand -hex 24“ in seine .env und starte ihn neu.",
        },
        Refused::Gone => Text { en: "It was gone already.", de: "Das gab es schon nicht mehr." },
        Refused::Unreachable => Text {
            en: "The server did not answer. Check that it runs, and try again.",
            de: "Der Server hat nicht geantwortet. Prüf, ob er läuft, und versuch es noch einmal.",
        },
        Refused::TooOften(seconds) => {
            return match language {
                Language::English => {
                    format!("Too many wrong tokens from your network. Try again in {seconds} seconds.")
                }
                Language::German => {
                    format!("Zu viele falsche Token aus deinem Netz. Versuch es in {seconds} Sekunden noch einmal.")
                }
            };
        }
    };
    text.to(language).to_owned()
}

/// Beside the field; empty where nothing was refused.
pub fn at_the_door(page: &AdminPage, language: Language) -> String {
    match page.door {
        Door::Closed(Some(why)) => refused(why, language),
        Door::Closed(None) | Door::Asking | Door::Open => String::new(),
    }
}

/// The first letters of an identifier: enough to tell a few dozen apart.
pub fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

/// The first sentence of the page.
pub fn month_in_words(month: &MonthSoFar, language: Language) -> String {
    let (used, limit, share) =
        (amount(month.used, language), amount(month.limit, language), percent(month.used, month.limit, language));
    match language {
        Language::English => format!("{used} of {limit} relayed, {share}"),
        Language::German => format!("{used} von {limit} über Relays, {share}"),
    }
}

/// What of it was estimated.
pub fn estimated_in_words(month: &MonthSoFar, language: Language) -> String {
    if month.estimated == 0 {
        return ALL_MEASURED.to(language).to_owned();
    }
    let (estimated, share) = (amount(month.estimated, language), percent(month.estimated, month.used, language));
    match language {
        Language::English => format!("{estimated} of it estimated ({share})"),
        Language::German => format!("davon {estimated} geschätzt ({share})"),
    }
}

/// The limit beside its line.
pub fn limit_in_words(month: &MonthSoFar, language: Language) -> String {
    format!("Limit {}", amount(month.limit, language))
}

/// The same where the line lies above the chart.
pub fn limit_above(month: &MonthSoFar, language: Language) -> String {
    let limit = limit_in_words(month, language);
    match language {
        Language::English => format!("{limit}, far above this chart"),
        Language::German => format!("{limit}, weit über diesem Diagramm"),
    }
}

/// What happens at a stage.
pub fn stage(what: StageKind) -> Text {
    match what {
        StageKind::Warn => Text { en: "warns you", de: "warnt dich" },
        StageKind::LowerCeiling => {
            Text { en: "lowers the picture of relayed guests", de: "senkt das Bild für Gäste am Relay" }
        }
        StageKind::DirectOnly => {
            Text { en: "connects new guests directly only", de: "verbindet neue Gäste nur noch direkt" }
        }
        StageKind::EndRelayed => Text { en: "ends relayed connections", de: "beendet Verbindungen über Relays" },
    }
}

/// Whether a provider is asked.
pub fn standing(of: ProviderStanding) -> Text {
    match of {
        ProviderStanding::Asked => Text { en: "In use", de: "In Betrieb" },
        ProviderStanding::LeftAlone => Text { en: "Left alone after failures", de: "Nach Fehlern in Ruhe gelassen" },
        ProviderStanding::TriedAgain => Text { en: "Being tried again", de: "Wird wieder versucht" },
        ProviderStanding::Paused => Text { en: "Paused by you", de: "Von dir angehalten" },
        ProviderStanding::Gone => Text { en: "No longer in the settings", de: "Nicht mehr in den Einstellungen" },
    }
}

/// How a connection runs.
pub fn path(path: PathNow) -> Text {
    match path {
        PathNow::Unknown => Text { en: "Not told yet", de: "Noch nichts gemeldet" },
        PathNow::Connecting => Text { en: "Connecting", de: "Verbindet" },
        PathNow::Direct => Text { en: "Direct", de: "Direkt" },
        PathNow::Relayed => Text { en: "Relayed", de: "Über Relay" },
    }
}

/// Who is there.
pub fn people_now(view: &AdminView, language: Language) -> String {
    let people = view.people;
    match language {
        Language::English => format!(
            "{}, {}, {}",
            counted(people.sessions, "session", "sessions"),
            counted(people.participants, "person", "people"),
            counted(people.connections, "connection", "connections")
        ),
        Language::German => format!(
            "{}, {}, {}",
            counted(people.sessions, "Runde", "Runden"),
            counted(people.participants, "Person", "Leute"),
            counted(people.connections, "Verbindung", "Verbindungen")
        ),
    }
}

/// `1 session`, `2 sessions`.
pub fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

/// Rows that are not shown.
pub fn left_out(count: u64, language: Language) -> String {
    match language {
        Language::English => format!("and {count} more"),
        Language::German => format!("und {count} weitere"),
    }
}
