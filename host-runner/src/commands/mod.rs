//! One story per subcommand. Each takes plain options and gives a report; none prints.

pub mod check;
pub mod test;
