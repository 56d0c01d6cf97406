//! Everything that was logged on this thread, at every level.

use std::{
    cell::RefCell,
    fmt::{Debug, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Once,
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

thread_local! {
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// The message with which this panics.
pub fn panic_message<T>(panics: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(panics()))) else {
        panic!("it does not panic");
    };
    *payload.downcast::<String>().unwrap()
}

/// Listens until it is dropped.
pub struct Log(());

impl Log {
    pub fn listen() -> Self {
        // One subscriber for the whole process: tracing caches the interest in a callsite for all
        // threads.
        static EAR: Once = Once::new();
        EAR.call_once(|| tracing::subscriber::set_global_default(Ear).unwrap());
        LINES.replace(Some(Vec::new()));
        Self(())
    }

    /// Everything that was logged: `LEVEL field=value …`.
    pub fn lines(&self) -> Vec<String> {
        LINES.with_borrow(Clone::clone).unwrap()
    }

    /// The lines of this level.
    pub fn at(&self, level: Level) -> Vec<String> {
        let level = format!("{level} ");
        let lines = self.lines().into_iter();
        lines.filter(|line| line.starts_with(&level)).collect()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LINES.replace(None);
    }
}

struct Ear;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Ear {
    fn note(&self, level: &Level, fields: impl FnOnce(&mut Line)) {
        let mut line = Line(level.to_string());
        fields(&mut line);
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.push(line.0);
            }
        });
    }
}

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.note(span.metadata().level(), |line| span.record(line));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        self.note(&Level::TRACE, |line| values.record(line));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(event.metadata().level(), |line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
