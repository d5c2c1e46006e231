//! Columns of text.

/// Prints rows under their titles; a column is as wide as its widest cell. Columns whose
/// cells are numbers are set to the right.
pub fn print(titles: &[&str], rows: &[Vec<String>]) {
    print!("{}", format(titles, rows));
}

fn format(titles: &[&str], rows: &[Vec<String>]) -> String {
    let columns: Vec<Column> = (0..titles.len()).map(|at| Column::of(titles, rows, at)).collect();
    let titles: Vec<String> = titles.iter().map(ToString::to_string).collect();
    let mut text = String::new();
    for row in std::iter::once(&titles).chain(rows) {
        let cells = row.iter().zip(&columns).map(|(cell, column)| column.pad(cell));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

struct Column {
    width: usize,
    right: bool,
}

impl Column {
    fn of(titles: &[&str], rows: &[Vec<String>], at: usize) -> Self {
        let cells: Vec<&str> = rows.iter().filter_map(|row| row.get(at)).map(String::as_str).collect();
        let widths = cells.iter().chain([&titles[at]]).map(|cell| cell.chars().count());
        let number = |cell: &&str| cell.starts_with(|first: char| first.is_ascii_digit());
        Self { width: widths.max().unwrap_or(0), right: !cells.is_empty() && cells.iter().all(number) }
    }

    fn pad(&self, cell: &str) -> String {
        if self.right { format!("{cell:>w$}", w = self.width) } else { format!("{cell:<w$}", w = self.width) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = vec![vec!["9".into(), "a.pl".into()], vec!["10".into(), "longer.pl".into()]];
        assert_eq!(format(&["pid", "script"], &rows), "pid  script\n  9  a.pl\n 10  longer.pl\n");
    }
}
