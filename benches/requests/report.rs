//! The options on the command line: which benches to run, and for how long.

use std::time::Duration;

use crate::contenders::Contender;

/// The options on the command line.
pub(crate) struct Options {
    /// A part of the names of the measurements to run.
    filter: String,
    quick: bool,
}

impl Options {
    /// Ignores the options that cargo adds, such as `--bench`.
    pub(crate) fn from_args() -> Self {
        let mut options = Self {
            filter: String::new(),
            quick: false,
        };
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                "--quick" => options.quick = true,
                option if option.starts_with("--") => {}
                filter => filter.clone_into(&mut options.filter),
            }
        }
        options
    }

    /// Whether to run this measurement, named `group/case/contender`.
    pub(crate) fn wants(&self, name: &str) -> bool {
        name.contains(&self.filter)
    }

    /// The contenders to measure in this group and case.
    pub(crate) fn wanted(&self, case: &str, contenders: &[Contender]) -> Vec<Contender> {
        let wanted = |contender: &Contender| self.wants(&name(case, *contender));
        contenders.iter().copied().filter(wanted).collect()
    }

    /// Whether the filter names the other bench.
    pub(crate) fn wants_stores(&self) -> bool {
        self.filter == "stores"
    }

    /// This time, or a tenth of it with `--quick`.
    pub(crate) fn time(&self, full: Duration) -> Duration {
        if self.quick { full / 10 } else { full }
    }
}

/// A measurement's name; `case` is `group/case`.
pub(crate) fn name(case: &str, contender: Contender) -> String {
    format!("{case}/{}", contender.name())
}
