//! `mner`: train, evaluate and use multimodal named entity recognition from the command line.
#![recursion_limit = "256"]

mod average;
mod beside;
mod bundle;
mod calibrate;
mod card;
mod compose;
mod contrast;
mod convert;
mod device;
mod distill;
mod each_image;
mod evaluate;
mod explain;
mod export;
mod failure;
mod features;
mod graft;
mod image_text;
mod images;
mod init;
mod inspect;
mod matching;
mod ocr;
mod output;
mod posteriors;
mod predict;
mod pretrain;
mod quantize;
mod record;
mod stream;
mod threads;
mod train;
mod train_captions;
mod train_ocr;
mod trim;
mod tweets;
mod user_names;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Training allocates and frees tensors of many megabytes; the system's allocator hands each back
/// to the kernel, which then spends a quarter of the time on page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Named entity recognition for tweets: who, where, which organisation, and what else.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(Box<train::Args>),
    Distill(distill::Args),
    Match(matching::Args),
    TrainOcr(train_ocr::Args),
    TrainCaptions(train_captions::Args),
    Pretrain(pretrain::Args),
    Compose(compose::Args),
    Posteriors(posteriors::Args),
    Evaluate(evaluate::Args),
    Predict(predict::Args),
    Ocr(ocr::Args),
    ImageText(image_text::Args),
    Convert(convert::Args),
    Inspect(inspect::Args),
    Export(export::Args),
    Average(average::Args),
    Trim(trim::Args),
    Graft(graft::Args),
    Quantize(quantize::Args),
    Calibrate(calibrate::Args),
    Card(card::Args),
    Init(init::Args),
}

/// mimalloc's option for the milliseconds after which it gives freed memory back; the crate lacks
/// its name. -1: never.
const PURGE_DELAY: i32 = 15;

fn main() -> ExitCode {
    // Giving memory back and fetching it anew was a fifth of a training step.
    // SAFETY: sets a number in mimalloc's table of options, before any thread is started.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, -1) };
    let result = match Cli::parse().command {
        Command::Train(args) => train::run(&args),
        Command::Distill(args) => distill::run(&args),
        Command::Match(args) => matching::run(&args),
        Command::TrainOcr(args) => train_ocr::run(&args),
        Command::TrainCaptions(args) => train_captions::run(&args),
        Command::Pretrain(args) => pretrain::run(&args),
        Command::Compose(args) => compose::run(&args),
        Command::Posteriors(args) => posteriors::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Ocr(args) => ocr::run(&args),
        Command::ImageText(args) => image_text::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Average(args) => average::run(&args),
        Command::Trim(args) => trim::run(&args),
        Command::Graft(args) => graft::run(&args),
        Command::Quantize(args) => quantize::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Card(args) => card::run(&args),
        Command::Init(args) => init::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
