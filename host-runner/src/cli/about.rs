//! The command line about itself: completions for shells, manual pages.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(short, long, value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// A folder for the pages of all commands, instead of the main one on stdout.
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl CompletionsArgs {
    /// Writes the completions for the program under its name.
    pub(crate) fn write(&self, mut command: clap::Command, out: &mut dyn Write) -> io::Result<()> {
        let name = command.get_name().to_owned();
        // clap_complete takes a write that fails for a mistake of the program's; a reader that has seen enough is none.
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut text);
        out.write_all(&text)
    }
}

impl ManArgs {
    /// Writes the page, or the pages.
    pub(crate) fn write(&self, command: clap::Command, out: &mut dyn Write) -> io::Result<()> {
        match &self.output {
            None => clap_mangen::Man::new(command).render(out),
            Some(folder) => {
                let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
                write_pages(command, folder).map_err(named)
            }
        }
    }
}

fn write_pages(command: clap::Command, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}
