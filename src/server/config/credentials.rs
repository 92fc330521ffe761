//! Who gets credentials, from whom, and for how long.

use super::values;
use crate::{
    domain::{ProviderKind, ProviderName},
    server::{
        guard::RateLimit,
        providers::{Regions, StunUrls},
    },
};
use axum::http::HeaderName;
use std::{collections::BTreeSet, time::Duration};

/// Settings that hold for every provider.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Credentials")]
pub struct CredentialConfig {
    /// Providers of relay credentials in the order in which they are asked, with commas between them: cloudflare, twilio, xirsys,
    /// metered, coturn, static, relay. Unset: all that are configured below, in this order. Several of a kind have labels, as in
    /// `cloudflare:eu,cloudflare:us`, and the variables of a labelled one end in its label: `CLOUDFLARE_TURN_KEY_ID_EU`. The next
    /// one is asked when one fails or takes long.
    #[arg(long, env, value_parser = ProviderNames::parse)]
    pub turn_providers: Option<ProviderNames>,

    /// How many providers everyone gets credentials of at once, so that a call goes on over another relay when one fails: from
    /// 1 to 4, which share what a browser is given, four addresses in all.
    #[arg(long, env, default_value = "1", value_parser = values::together)]
    pub turn_providers_together: usize,

    /// Header in which a proxy or CDN in front says where a visitor is, such as `CF-IPCountry` or `Fly-Region`. Of several
    /// providers of a kind the one is asked first whose label is what the header says, or has it in `TURN_REGIONS`; once a
    /// browser has measured their round trips, those count more.
    #[arg(long, env, value_parser = values::header)]
    pub turn_region_header: Option<HeaderName>,

    /// Which of the header's words belong to which label, as in `eu=DE FR PL,us=US CA`.
    #[arg(long, env, default_value = "", hide_default_value = true, value_parser = values::regions)]
    pub turn_regions: Regions,

    /// How long TURN credentials live, in seconds. Each provider has its own bounds (Cloudflare 30 to 172800, Twilio and Xirsys 30
    /// to 86400); a value outside them is brought inside.
    #[arg(long, env, default_value = "86400", value_parser = values::seconds)]
    pub turn_credential_ttl: Duration,

    /// STUN servers for those who get no relay, with commas between them; a browser is given the first four. Unset: the
    /// built-in relay where it runs, else `stun:stun.cloudflare.com:3478`. The one variable that may be empty: then there are
    /// none.
    #[arg(long, env, value_parser = values::stun_urls)]
    pub stun_urls: Option<StunUrls>,

    /// How often one address may ask for credentials without being in a session: requests per s, m or h.
    #[arg(long, env, default_value = "10/5m", value_parser = values::rate_limit)]
    pub rate_limit_credentials: RateLimit,
}

/// Providers in the order in which they are asked; no name stands there twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderNames(Vec<ProviderName>);

/// A label that would make the variable of a secret look like the one of a secret's file.
const CONFUSING_LABEL: &str = "file";

impl ProviderNames {
    /// Reads names with commas or spaces between them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = text.split([',', ' ']).filter(|word| !word.is_empty());
        let names = words.map(|word| {
            let name: Option<ProviderName> = word.to_ascii_lowercase().parse().ok();
            // Of the relay that is part of Tessro there is one.
            let usable = |name: &ProviderName| match (name.kind(), name.label()) {
                (ProviderKind::Relay, label) => label.is_none(),
                (_, label) => label != Some(CONFUSING_LABEL),
            };
            name.filter(usable).ok_or_else(|| {
                format!(
                    "`{word}` is no provider; write cloudflare, twilio, xirsys, metered, coturn, static or relay, with a label \
                     where there are several of a kind, such as cloudflare:eu"
                )
            })
        });
        let names = names.collect::<Result<Vec<_>, _>>()?;
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            return Err(format!(
                "`{twice}` stands there twice; write each name once, with labels to tell several of a kind"
            ));
        }
        if names.is_empty() { Err("write at least one name, such as cloudflare".into()) } else { Ok(Self(names)) }
    }

    /// Whether one of this kind is among them.
    pub fn names(&self, kind: ProviderKind) -> bool {
        self.0.iter().any(|name| name.kind() == kind)
    }

    /// The names.
    pub fn as_slice(&self) -> &[ProviderName] {
        &self.0
    }
}
