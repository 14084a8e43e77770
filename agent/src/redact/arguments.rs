//! Credentials among the arguments of a program.

use serde_json::{Map, Value};

use super::mask::{MASK, is_credential_name, is_harmless};

/// Programs that take a password with a flag of one letter, which means something else to others (a port, a profile).
const SHORT_FLAGS: [(&str, &[&str]); 6] = [
    (
        "-p",
        &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mysqlimport",
            "mysqlcheck",
            "mariadb",
            "mariadb-dump",
            "mariadb-admin",
        ],
    ),
    ("-p", &["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"]),
    ("-p", &["sshpass"]),
    ("-a", &["redis-cli", "valkey-cli"]),
    ("-w", &["ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami", "ldapdelete"]),
    ("-u", &["curl"]),
];

/// Masks what the `command` and the `args` of a container, or of a probe, say.
pub(super) fn mask(map: &mut Map<String, Value>) {
    let flag = short_flag(map);
    for field in ["command", "args"] {
        if let Some(Value::Array(arguments)) = map.get_mut(field) {
            mask_arguments(arguments, flag);
        }
    }
}

/// The flag that the program takes a password with.
fn short_flag(map: &Map<String, Value>) -> Option<&'static str> {
    let first = |field: &str| map.get(field)?.get(0)?.as_str();
    // Without a command the image's own runs, and the first argument often names what that is to run.
    let programs = [first("command"), first("args")].map(|program| program?.rsplit('/').next());
    let known = |program: &str| SHORT_FLAGS.iter().find(|(_, programs)| programs.contains(&program));
    programs.into_iter().flatten().find_map(known).map(|(flag, _)| *flag)
}

/// `--password=hunter2`, `PASSWORD=hunter2`, and `--password hunter2` in two arguments; `-phunter2` and `-p hunter2` where
/// that is a password.
fn mask_arguments(arguments: &mut [Value], short_flag: Option<&str>) {
    let mut names_next = false;
    for argument in arguments {
        let Value::String(argument) = argument else { continue };
        let is_flag = argument.starts_with('-');
        if std::mem::take(&mut names_next) && !is_flag && !is_harmless(argument) {
            MASK.clone_into(argument);
            continue;
        }
        if let Some(flag) = short_flag
            && let Some(attached) = argument.strip_prefix(flag)
        {
            names_next = attached.is_empty();
            if !is_harmless(attached) {
                *argument = format!("{flag}{MASK}");
            }
            continue;
        }
        match argument.split_once('=') {
            Some((name, value)) if is_word(name) && is_credential_name(name) && !is_harmless(value) => {
                *argument = format!("{name}={MASK}");
            }
            Some(_) => {}
            None => names_next = is_flag && is_word(argument) && is_credential_name(argument),
        }
    }
}

fn is_word(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}
