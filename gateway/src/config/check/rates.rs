//! The section `rates`.

use std::num::NonZeroU32;

use super::super::raw::RawRates;
use super::Mistakes;
use crate::limits::{LocalUser, Rate, Rates};

impl Mistakes {
    pub(super) fn rates(&mut self, raw: &RawRates) -> Rates {
        let default = Rates::default();
        let RawRates { requests_per_second, requests_burst, initialize_per_second, initialize_burst, .. } =
            *raw;
        let RawRates { strangers_per_second, strangers_burst, fleet_per_second, fleet_burst, .. } = *raw;
        let RawRates {
            cached_per_second, cached_burst, live_per_second, live_burst, limit_local_user, ..
        } = *raw;
        Rates {
            requests: self.rate("requests", requests_per_second, requests_burst, default.requests),
            initialize: self.rate("initialize", initialize_per_second, initialize_burst, default.initialize),
            strangers: self.rate("strangers", strangers_per_second, strangers_burst, default.strangers),
            fleet: self.rate("fleet", fleet_per_second, fleet_burst, default.fleet),
            cached: self.rate("cached", cached_per_second, cached_burst, default.cached),
            live: self.rate("live", live_per_second, live_burst, default.live),
            local_user: if limit_local_user { LocalUser::Limited } else { LocalUser::Free },
        }
    }

    fn rate(&mut self, of: &str, per_second: Option<u32>, burst: Option<u32>, default: Rate) -> Rate {
        Rate {
            per_second: self.some(&format!("rates.{of}_per_second"), per_second, default.per_second),
            burst: self.some(&format!("rates.{of}_burst"), burst, default.burst),
        }
    }

    fn some(&mut self, key: &str, value: Option<u32>, default: NonZeroU32) -> NonZeroU32 {
        let Some(value) = value else { return default };
        NonZeroU32::new(value).unwrap_or_else(|| {
            self.add(key, "0 would refuse everything; write at least 1");
            default
        })
    }
}
