//! The flags of `test`.

use std::path::PathBuf;

use clap::Args;
use host_runner::commands::test::TestOptions;
use host_runner::report::Detail;

use super::{LimitArgs, OutputArgs};

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Suites: files, or folders that hold files named suite.yaml.
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    limits: LimitArgs,
}

impl TestArgs {
    /// What was typed, as what it means.
    pub(crate) fn into_options(self) -> Result<(TestOptions, Detail, OutputArgs), String> {
        let options = TestOptions { paths: self.paths, limits: self.limits.limits()?, cache: self.limits.cache() };
        let detail = self.output.detail();
        Ok((options, detail, self.output))
    }
}
