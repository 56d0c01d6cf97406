//! Markdown tables, and the numbers in them.

/// A Markdown table whose first column is text and whose others are numbers.
pub(crate) struct Table {
    heading: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heading: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&column| column.to_owned());
        Self {
            heading: heading.to_owned(),
            rows: vec![columns.collect()],
        }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Prints the table, if there is anything in it.
    pub(crate) fn print(self) {
        if self.rows.len() == 1 {
            return;
        }
        println!("\n{}\n", self.heading);
        let columns = self.rows[0].len();
        let widths: Vec<_> = (0..columns).map(|column| self.width(column)).collect();
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate();
            let cells: Vec<_> = cells
                .map(|(i, (cell, width))| align(i, cell, *width))
                .collect();
            println!("| {} |", cells.join(" | "));
            if number == 0 {
                println!("{}", rule(&widths));
            }
        }
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    }
}

fn align(column: usize, cell: &str, width: usize) -> String {
    if column == 0 {
        format!("{cell:<width$}")
    } else {
        format!("{cell:>width$}")
    }
}

fn rule(widths: &[usize]) -> String {
    let dashes = widths.iter().enumerate().map(|(column, &width)| {
        if column == 0 {
            format!(":{}", "-".repeat(width + 1))
        } else {
            format!("{}:", "-".repeat(width + 1))
        }
    });
    format!("|{}|", dashes.collect::<Vec<_>>().join("|"))
}

/// The median of these values.
pub(crate) fn median<T: Copy + PartialOrd>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).unwrap());
    values[values.len() / 2]
}

/// A value as a multiple of `base`, or a dash if `base` is too small to divide by.
pub(crate) fn ratio(value: f64, base: f64, least: f64) -> String {
    if base.abs() < least {
        "–".to_owned()
    } else {
        format!("{:.2}", value / base)
    }
}

/// A whole number with commas between its thousands.
pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value <= -0.5 {
        format!("-{text}")
    } else {
        text
    }
}
