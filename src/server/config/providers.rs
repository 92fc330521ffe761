//! Every provider that can be configured, and the line in which they are asked.

use super::{
    CloudflareConfig, ConfigError, CoturnConfig, MeteredConfig, ProviderNames, RelayPlace, StaticConfig, TwilioConfig,
    XirsysConfig, cloudflare::CloudflareArgs, command_line::labelled, coturn::CoturnArgs, metered::MeteredArgs,
    naming::Naming, static_login::StaticArgs, twilio::TwilioArgs, xirsys::XirsysArgs,
};
use crate::domain::{ProviderKind, ProviderName};
use std::ffi::OsString;
use url::Url;

/// What one provider needs.
#[derive(Debug, Clone)]
pub enum ProviderConfig {
    /// Cloudflare Realtime TURN.
    Cloudflare(CloudflareConfig),
    /// Twilio Network Traversal Service.
    Twilio(TwilioConfig),
    /// Xirsys.
    Xirsys(XirsysConfig),
    /// Metered.
    Metered(MeteredConfig),
    /// A relay that shares a secret with us.
    Coturn(CoturnConfig),
    /// A relay with one login for everybody.
    Static(StaticConfig),
    /// The relay that is part of Tessro; what it needs stands in [`super::RelayConfig`].
    Relay,
}

impl ProviderConfig {
    /// Whose it is.
    pub const fn kind(&self) -> ProviderKind {
        match self {
            Self::Cloudflare(_) => ProviderKind::Cloudflare,
            Self::Twilio(_) => ProviderKind::Twilio,
            Self::Xirsys(_) => ProviderKind::Xirsys,
            Self::Metered(_) => ProviderKind::Metered,
            Self::Coturn(_) => ProviderKind::Coturn,
            Self::Static(_) => ProviderKind::Static,
            Self::Relay => ProviderKind::Relay,
        }
    }

    /// Where it is asked; `None` where nobody is asked.
    pub const fn api(&self) -> Option<&Url> {
        match self {
            Self::Cloudflare(config) => Some(&config.api_base),
            Self::Twilio(config) => Some(&config.api_base),
            Self::Xirsys(config) => Some(&config.api_base),
            Self::Metered(config) => Some(&config.api_base),
            Self::Coturn(_) | Self::Static(_) | Self::Relay => None,
        }
    }
}

/// The variables of all providers without a label, as they are written.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ProviderArgs {
    #[command(flatten)]
    cloudflare: CloudflareArgs,
    #[command(flatten)]
    twilio: TwilioArgs,
    #[command(flatten)]
    xirsys: XirsysArgs,
    #[command(flatten)]
    metered: MeteredArgs,
    #[command(flatten)]
    coturn: CoturnArgs,
    #[command(flatten)]
    fixed: StaticArgs,
}

impl ProviderArgs {
    /// The providers in the order that was set, or else all that are configured.
    pub(super) fn in_line(
        self,
        order: Option<&ProviderNames>,
        relay: RelayPlace,
        variables: &impl Fn(&str) -> Option<OsString>,
    ) -> Result<Vec<(ProviderName, ProviderConfig)>, ConfigError> {
        let mut plain = self.resolve()?;
        if relay != RelayPlace::Off {
            plain.push(ProviderConfig::Relay);
        } else if order.is_some_and(|order| order.names(ProviderKind::Relay)) {
            return Err(ConfigError::RelayOff);
        }
        let Some(order) = order else {
            return Ok(plain.into_iter().map(|config| (config.kind().into(), config)).collect());
        };
        let find = |name: &ProviderName| {
            let config = match name.label() {
                None => plain.iter().find(|config| config.kind() == name.kind()).cloned(),
                Some(label) => resolve_labelled(name.kind(), Naming::of(Some(label)), variables)?,
            };
            config.map(|config| (name.clone(), config)).ok_or_else(|| ConfigError::NotConfigured {
                name: name.clone(),
                provider: name.title(),
                missing: Naming::of(name.label()).variable(first_variable(name.kind())),
            })
        };
        order.as_slice().iter().map(find).collect()
    }

    /// Those of others that are configured, in the order of [`ProviderKind::ALL`].
    fn resolve(self) -> Result<Vec<ProviderConfig>, ConfigError> {
        let naming = Naming::default();
        let all = [
            self.cloudflare.resolve(naming)?.map(ProviderConfig::Cloudflare),
            self.twilio.resolve(naming)?.map(ProviderConfig::Twilio),
            self.xirsys.resolve(naming)?.map(ProviderConfig::Xirsys),
            self.metered.resolve(naming)?.map(ProviderConfig::Metered),
            self.coturn.resolve(naming)?.map(ProviderConfig::Coturn),
            self.fixed.resolve(naming)?.map(ProviderConfig::Static),
        ];
        Ok(all.into_iter().flatten().collect())
    }
}

fn resolve_labelled(
    kind: ProviderKind,
    naming: Naming<'_>,
    variables: &impl Fn(&str) -> Option<OsString>,
) -> Result<Option<ProviderConfig>, ConfigError> {
    Ok(match kind {
        ProviderKind::Cloudflare => {
            labelled::<CloudflareArgs>(naming, variables)?.resolve(naming)?.map(ProviderConfig::Cloudflare)
        }
        ProviderKind::Twilio => labelled::<TwilioArgs>(naming, variables)?.resolve(naming)?.map(ProviderConfig::Twilio),
        ProviderKind::Xirsys => labelled::<XirsysArgs>(naming, variables)?.resolve(naming)?.map(ProviderConfig::Xirsys),
        ProviderKind::Metered => {
            labelled::<MeteredArgs>(naming, variables)?.resolve(naming)?.map(ProviderConfig::Metered)
        }
        ProviderKind::Coturn => labelled::<CoturnArgs>(naming, variables)?.resolve(naming)?.map(ProviderConfig::Coturn),
        ProviderKind::Static => labelled::<StaticArgs>(naming, variables)?.resolve(naming)?.map(ProviderConfig::Static),
        ProviderKind::Relay => None,
    })
}

const fn first_variable(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Cloudflare => "CLOUDFLARE_TURN_KEY_ID",
        ProviderKind::Twilio => "TWILIO_ACCOUNT_SID",
        ProviderKind::Xirsys => "XIRSYS_IDENT",
        ProviderKind::Metered => "METERED_APP",
        ProviderKind::Coturn => "COTURN_URLS",
        ProviderKind::Static => "STATIC_TURN_URLS",
        ProviderKind::Relay => "TURN_RELAY",
    }
}

/// Which of a provider's variables are there: all of them, none, or the wrong half.
pub(super) struct Parts<'a> {
    provider: ProviderKind,
    naming: Naming<'a>,
    present: Option<&'static str>,
    missing: Option<&'static str>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(provider: ProviderKind, naming: Naming<'a>) -> Self {
        Self { provider, naming, present: None, missing: None }
    }

    /// One more that is needed.
    pub(super) fn need<T>(mut self, variable: &'static str, value: Option<&T>) -> Self {
        let place = if value.is_some() { &mut self.present } else { &mut self.missing };
        place.get_or_insert(variable);
        self
    }

    /// What a provider is that lacks something: nothing at all, or half of one.
    pub(super) fn incomplete<T>(self) -> Result<Option<T>, ConfigError> {
        match (self.present, self.missing) {
            (Some(present), Some(missing)) => Err(ConfigError::HalfAProvider {
                provider: self.provider.title(),
                present: self.naming.variable(present),
                missing: self.naming.variable(missing),
            }),
            (Some(_), None) | (None, _) => Ok(None),
        }
    }
}
