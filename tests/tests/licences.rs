//! Every dependency may be used under a licence that lets Windlass be MIT or Apache-2.0.

use std::process::Command;

use serde_json::Value;

/// Licences that ask for no more than their text to be kept.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

#[test]
fn every_dependency_has_an_allowed_licence() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(
        packages.len() > 50,
        "cargo metadata lists only {} packages",
        packages.len()
    );
    let mut wrong = Vec::new();
    for package in packages {
        let (name, version) = (&package["name"], &package["version"]);
        let Some(licence) = package["license"].as_str() else {
            wrong.push(format!("{name} {version}: no licence"));
            continue;
        };
        // Old manifests write `MIT/Apache-2.0`.
        let expression = spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX);
        let allowed = expression.is_ok_and(|expression| {
            expression.evaluate(|requirement| {
                requirement
                    .license
                    .id()
                    .is_some_and(|id| ALLOWED.contains(&id.name))
            })
        });
        if !allowed {
            wrong.push(format!("{name} {version}: {licence}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "licences that are not on the list:\n{}",
        wrong.join("\n")
    );
}
