//! Where snapshots may lie.

use std::path::{Component, Path, PathBuf};

/// The path with all links and dots resolved. What does not exist yet must be a new name in a folder that does.
///
/// `allowed`: the folders below which snapshots may lie, none for anywhere; never in the server's own `data` folder.
/// Errors are sentences.
pub fn resolve(path: &str, allowed: &[String], data: &Path) -> Result<PathBuf, String> {
    let asked = Path::new(path);
    if path.contains('\0') || !asked.is_absolute() {
        return Err(format!("{path} is not an absolute path"));
    }
    let found = match asked.canonicalize() {
        Ok(found) => found,
        Err(_) => below_parent(asked)?,
    };
    let data = data.canonicalize().map_err(|error| format!("{}: {error}", data.display()))?;
    if found.starts_with(&data) {
        return Err(format!("{} is in the server's data folder", found.display()));
    }
    let folders: Vec<PathBuf> = allowed.iter().filter_map(|folder| Path::new(folder).canonicalize().ok()).collect();
    if allowed.is_empty() || folders.iter().any(|folder| found.starts_with(folder) && found != *folder) {
        return Ok(found);
    }
    Err(format!("{} is not below {}", found.display(), allowed.join(" or ")))
}

fn below_parent(asked: &Path) -> Result<PathBuf, String> {
    // A link that leads nowhere does not exist either, and writing would follow it.
    if asked.symlink_metadata().is_ok() {
        return Err(format!("{} is a link that leads nowhere", asked.display()));
    }
    let Some(Component::Normal(name)) = asked.components().next_back() else {
        return Err(format!("{} has no name of its own", asked.display()));
    };
    let parent = asked.parent().unwrap_or(Path::new("/"));
    match parent.canonicalize() {
        Ok(folder) if folder.is_dir() => Ok(folder.join(name)),
        Ok(_) => Err(format!("{} is not a folder", parent.display())),
        Err(error) => Err(format!("{}: {error}", parent.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn area() -> PathBuf {
        let area = std::env::temp_dir().join(format!("place-{}-{:?}", std::process::id(), std::thread::current().id()));
        let _ = fs::remove_dir_all(&area);
        for folder in ["data", "backup/deep", "other"] {
            fs::create_dir_all(area.join(folder)).unwrap();
        }
        area.canonicalize().unwrap()
    }

    fn ask(area: &Path, path: &str, allowed: &[&str]) -> Result<String, String> {
        let allowed: Vec<String> = allowed.iter().map(|a| area.join(a).display().to_string()).collect();
        resolve(&area.join(path).display().to_string(), &allowed, &area.join("data"))
            .map(|found| found.strip_prefix(area).unwrap().display().to_string())
    }

    #[test]
    fn new_names_in_folders_that_exist() {
        let area = area();
        assert_eq!(ask(&area, "backup/monday", &[]), Ok("backup/monday".into()));
        assert_eq!(ask(&area, "backup/deep/../monday", &["backup"]), Ok("backup/monday".into()));
        assert!(ask(&area, "nowhere/monday", &[]).is_err());
        assert!(ask(&area, "backup/..", &["backup"]).is_err());
        assert!(resolve("monday", &[], &area).is_err());
        fs::remove_dir_all(area).unwrap();
    }

    #[test]
    fn not_in_the_data_folder_nor_outside_of_what_is_allowed() {
        let area = area();
        assert!(ask(&area, "data/monday", &[]).unwrap_err().contains("data folder"));
        assert!(ask(&area, "backup/../data/monday", &[]).is_err());
        assert!(ask(&area, "other/monday", &["backup"]).unwrap_err().contains("is not below"));
        assert!(ask(&area, "backup", &["backup"]).is_err());
        assert!(ask(&area, "backup/x", &["gone"]).is_err());
        fs::remove_dir_all(area).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_before_anything_is_decided() {
        let area = area();
        std::os::unix::fs::symlink(area.join("other"), area.join("backup/link")).unwrap();
        std::os::unix::fs::symlink(area.join("gone"), area.join("backup/dangling")).unwrap();
        assert!(ask(&area, "backup/link/monday", &["backup"]).is_err());
        assert_eq!(ask(&area, "backup/link/monday", &["other"]), Ok("other/monday".into()));
        assert!(ask(&area, "backup/dangling", &["backup"]).unwrap_err().contains("leads nowhere"));
        fs::remove_dir_all(area).unwrap();
    }
}
