/// Whether something that is tried again and again fails at the moment, so that an outage is logged once and not with
/// every attempt.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outage {
    is_logged: bool,
}

impl Outage {
    /// Notes a failure. Returns whether it is the first since the last success: the one to log.
    #[must_use]
    pub const fn begins(&mut self) -> bool {
        !std::mem::replace(&mut self.is_logged, true)
    }

    /// Notes a success: the next failure begins another outage.
    pub const fn ends(&mut self) {
        self.is_logged = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_begins_once_until_it_ends() {
        let mut outage = Outage::default();
        assert!(outage.begins() && !outage.begins() && !outage.begins());
        outage.ends();
        assert!(outage.begins());
    }
}
