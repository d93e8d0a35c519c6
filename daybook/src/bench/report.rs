use std::borrow::Cow;

use serde::Serialize;

use crate::table::{grouped, lines, table};

/// Below it, a digit after the point says something.
const SMALL: f64 = 100.0;

/// One figure beside the limit that it is compared with, both measured in the same run.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Figure {
    /// The name of the figure.
    pub(super) name: Cow<'static, str>,
    /// The measured value, in `unit`.
    pub(super) value: f64,
    /// The unit of `value` and of `limit`.
    pub(super) unit: &'static str,
    /// The name of the limit.
    pub(super) limit_name: &'static str,
    /// The measured value of the limit, in `unit`.
    pub(super) limit: f64,
    /// `value / limit`.
    pub(super) ratio: f64,
    /// The bound of the ratio.
    pub(super) target: Target,
    /// Whether the ratio is within the bound.
    pub(super) met: bool,
}

/// A bound for a ratio.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Target {
    /// The least ratio.
    AtLeast(f64),
    /// The greatest ratio.
    AtMost(f64),
    /// No bound, because the figure only explains another one.
    Any,
}

impl Figure {
    pub(super) fn new(
        (name, value): (impl Into<Cow<'static, str>>, f64),
        unit: &'static str,
        (limit_name, limit): (&'static str, f64),
        target: Target,
    ) -> Self {
        let ratio = value / limit;
        let met = match target {
            Target::AtLeast(target) => ratio >= target,
            Target::AtMost(target) => ratio <= target,
            Target::Any => true,
        };
        Self { name: name.into(), value, unit, limit_name, limit, ratio, target, met }
    }

    fn cells(&self) -> [String; 5] {
        let target = match self.target {
            Target::AtLeast(target) => format!("≥ {target:.2}"),
            Target::AtMost(target) => format!("≤ {target:.2}"),
            Target::Any => "–".to_owned(),
        };
        let verdict = if self.met { "" } else { "  MISSED" };
        [
            self.name.clone().into_owned(),
            format!("{} {}", whole(self.value), self.unit),
            format!("{}: {} {}", self.limit_name, whole(self.limit), self.unit),
            format!("{:.2}", self.ratio),
            format!("{target}{verdict}"),
        ]
    }
}

/// The result of a benchmark.
#[derive(Serialize)]
pub(super) struct Report {
    /// The name of the benchmark.
    pub(super) bench: &'static str,
    /// The machine and the sizes that the figures were measured with.
    pub(super) with: Vec<String>,
    /// The figures, in the order in which they are printed.
    pub(super) figures: Vec<Figure>,
}

impl Report {
    /// Whether every figure is what it should be.
    pub(super) fn is_met(&self) -> bool {
        self.figures.iter().all(|figure| figure.met)
    }

    pub(super) fn to_table(&self) -> String {
        let mut figures = table(["figure", "measured", "limit", "ratio", "target"], &[]);
        figures.add_rows(self.figures.iter().map(Figure::cells));
        format!("{}\n\n{}", self.with.join("\n"), lines(&figures))
    }
}

/// 12345.6 → `12,346`; 9.44 → `9.4`
fn whole(number: f64) -> String {
    if number.abs() < SMALL {
        return format!("{number:.1}");
    }
    grouped(number.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_stands_beside_its_limit() {
        let of = |value, target| Figure::new(("fast", value), "rows/s", ("faster", 1_000_000.0), target);
        let report = Report {
            bench: "test",
            with: vec!["2 cores".into()],
            figures: vec![of(700_000.0, Target::AtLeast(0.7)), of(1_100_000.0, Target::AtMost(1.0))],
        };
        let table = report.to_table();
        assert!(
            table.contains("fast    700,000 rows/s    faster: 1,000,000 rows/s  0.70   ≥ 0.70\n"),
            "{table}"
        );
        assert!(table.ends_with("1.10   ≤ 1.00  MISSED"), "{table}");
        assert!(!report.is_met());
        assert_eq!([9.44, 99.0, 12_345.6].map(whole), ["9.4", "99.0", "12,346"]);
    }
}
