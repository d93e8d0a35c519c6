use std::fmt::Write;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressState, ProgressStyle};

const TICK: Duration = Duration::from_millis(120);
/// A style that cannot be read would be a bar without words; these can.
const COUNTED: &str = "{prefix:<18} {bar:30} {human_pos} of {human_len}  {rate}  {eta} left {msg}";
const BYTES: &str = "{prefix:<18} {bar:30} {bytes} of {total_bytes}  {eta} left  {msg}";
const OPEN_BYTES: &str = "{prefix:<18} {spinner} {bytes}  {msg}";
const OPEN: &str = "{prefix:<18} {spinner} {human_pos}  {rate}";

/// Progress towards a known number, on standard error, and only if that is a terminal.
pub(crate) fn counted(what: impl Into<String>, total: u64) -> ProgressBar {
    styled(ProgressBar::new(total), COUNTED, what)
}

/// Progress through so many bytes; through any number of them if that is not known.
pub(crate) fn bytes(what: impl Into<String>, total: Option<u64>) -> ProgressBar {
    if let Some(total) = total {
        return styled(ProgressBar::new(total), BYTES, what);
    }
    let bar = styled(ProgressBar::no_length(), OPEN_BYTES, what);
    bar.enable_steady_tick(TICK);
    bar
}

/// Progress towards a number that is not known.
pub(crate) fn open(what: impl Into<String>) -> ProgressBar {
    let bar = styled(ProgressBar::no_length(), OPEN, what);
    bar.enable_steady_tick(TICK);
    bar
}

fn styled(bar: ProgressBar, template: &str, what: impl Into<String>) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        // A bar that cannot be drawn is left out.
        let _ = write!(out, "{}/s", HumanCount(state.per_sec() as u64));
    };
    bar.with_style(style.with_key("rate", rate)).with_prefix(what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_styles_can_be_read() {
        for template in [COUNTED, BYTES, OPEN_BYTES, OPEN] {
            ProgressStyle::with_template(template).unwrap();
        }
    }
}
