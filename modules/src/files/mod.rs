//! Modules that handle files, one file each; and what they share: [`content`],
//! [`landing`], where bytes of a node may land on the control host, and [`write`], which makes one file
//! what it should be.

mod announced;
pub mod block;
pub mod blockinfile;
pub mod content;
pub mod copy;
pub mod edit;
pub mod fetch;
pub mod file;
pub mod get_url;
pub mod landing;
pub mod lineinfile;
pub mod lines;
pub mod slurp;
pub mod stat;
pub mod template;
pub mod times;
pub mod tree;
pub mod write;

use crate::module::modules;

modules! {
    /// The modules of this folder.
    blockinfile::BlockInFileArgs,
    copy::CopyArgs,
    fetch::FetchArgs,
    file::FileArgs,
    get_url::GetUrlArgs,
    lineinfile::LineInFileArgs,
    slurp::SlurpArgs,
    stat::StatArgs,
    template::TemplateArgs,
}

#[cfg(test)]
mod disk_tests;
