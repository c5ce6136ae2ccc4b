use super::*;
use crate::nn::encoder::EncoderInput;
use burn::tensor::{Int, Tensor};

fn input(device: &Device, shapes_as_types: bool) -> EncoderInput {
    let subwords = Tensor::<2, Int>::from_ints([[2, 30, 40, 3], [2, 50, 3, 0]], device);
    let shapes = Tensor::<2, Int>::from_ints([[10, 4, 6, 10], [10, 0, 10, 10]], device);
    EncoderInput {
        subwords,
        token_types: shapes_as_types.then(|| shapes.clone()),
        shapes: (!shapes_as_types).then_some(shapes),
        present: Tensor::from_floats([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 0.0]], device),
    }
}

#[test]
fn an_exported_encoder_gives_the_same_hidden_states() {
    let device = Device::flex();
    device.seed(3);
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let config = crate::systems::tiny::config(&tokenizer);
    let mut system = config.init(&device);
    // A trained word-shape table is not zero.
    let mut encoder = system.encoder().clone();
    let table = encoder
        .shapes
        .as_mut()
        .expect("the tiny system has word shapes");
    table.weight = Param::from_tensor(Tensor::ones_like(&table.weight.val()).cumsum(0) * 0.1);
    system = system.with_encoder(encoder);
    let expected = system.encoder().forward(&input(&device, false)).into_data();

    let folder = tempfile::tempdir().unwrap();
    export(system, &config, &tokenizer, folder.path()).unwrap();
    let loaded = load_encoder(folder.path(), 0, 0.1, &device).unwrap();
    let got = loaded.encoder.forward(&input(&device, true)).into_data();
    for (a, b) in got.iter::<f32>().zip(expected.iter::<f32>()) {
        assert!((a - b).abs() < 1e-5, "{a} against {b}");
    }
    assert_eq!(
        load_tokenizer(folder.path()).unwrap().vocab_size(),
        tokenizer.vocab_size()
    );
}

#[test]
fn unusable_folders_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let sentence = || {
        load_encoder(folder.path(), 0, 0.1, &Device::flex())
            .unwrap_err()
            .to_string()
    };
    assert!(sentence().contains("config.json"));
    let of = |path: &Path| {
        let read = load_encoder(path, 0, 0.1, &Device::flex());
        read.unwrap_err().to_string()
    };
    let manifest = folder.path().join("manifest.json");
    fs::write(&manifest, "{}").unwrap();
    for path in ["bert-base-uncased".as_ref(), manifest.as_path()] {
        let said = of(path);
        assert!(
            said.contains("no such folder") && said.contains("hf download"),
            "{said}"
        );
    }
    assert!(sentence().contains("go on from it with --start"));
    fs::remove_file(manifest).unwrap();
    let said = load_tokenizer(folder.path()).unwrap_err().to_string();
    assert!(
        said.contains("has no tokenizer.json") && said.contains("save_pretrained"),
        "{said}"
    );
    let tokenizer = folder.path().join("tokenizer.json");
    for (json, why) in [
        ("{}", "tokenizer.json: "),
        (
            r#"{"model":{"type":"Unigram","unk_id":null,"vocab":[]}}"#,
            "number of <unk>",
        ),
    ] {
        fs::write(&tokenizer, json).unwrap();
        let said = load_tokenizer(folder.path()).unwrap_err().to_string();
        assert!(
            said.contains(why) && said.contains("tokenizer.json"),
            "{said}"
        );
    }
    fs::remove_file(tokenizer).unwrap();
    for inner in ["0_Transformer", "snapshots/1a2b"] {
        let inner = folder.path().join(inner);
        fs::create_dir_all(&inner).unwrap();
        fs::write(inner.join("config.json"), "{}").unwrap();
        assert!(sentence().contains(&format!("{} has one", inner.display())));
        fs::remove_file(inner.join("config.json")).unwrap();
    }
    let mut config = serde_json::json!({
        "model_type": "gpt2", "vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 8, "max_position_embeddings": 8, "layer_norm_eps": 1e-12,
    });
    let write = |config: &serde_json::Value| {
        fs::write(folder.path().join("config.json"), config.to_string()).unwrap()
    };
    write(&config);
    assert!(sentence().contains("gpt2"));
    config["model_type"] = "bert".into();
    write(&config);
    assert!(sentence().contains("model.safetensors"));
    config["num_attention_heads"] = 3.into();
    write(&config);
    assert!(sentence().contains("3 heads"));
    config["num_attention_heads"] = 2.into();
    config["hidden_size"] = (1u64 << 40).into();
    write(&config);
    assert!(sentence().contains("size of 1099511627776"));
    config["hidden_size"] = 4.into();
    for name in [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "intermediate_size",
        "layer_norm_eps",
    ] {
        let mut none = config.clone();
        none[name] = 0.into();
        write(&none);
        let said = sentence();
        assert!(said.contains(&format!("{name} is 0")), "{said}");
    }
    config["hidden_act"] = "gelu_new".into();
    write(&config);
    assert!(sentence().contains("gelu_new") && sentence().contains("config.json"));
    config["hidden_act"] = "gelu".into();
    write(&config);
    let index = folder.path().join("model.safetensors.index.json");
    for part in ["absent.safetensors", "../absent.safetensors"] {
        fs::write(
            &index,
            serde_json::json!({"weight_map": {"a": part}}).to_string(),
        )
        .unwrap();
        assert!(sentence().contains(part) && sentence().contains("fetch all parts"));
    }
    fs::write(&index, "{").unwrap();
    assert!(sentence().contains("fetch the file again"));
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    fs::write(folder.path().join("model.safetensors"), pointer).unwrap();
    assert!(sentence().contains("git lfs pull"));
    fs::write(folder.path().join("model.safetensors"), b"\x90\0\0").unwrap();
    assert!(sentence().contains("no whole weights"), "{}", sentence());
    fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    fs::remove_file(index).unwrap();
    fs::write(folder.path().join("adapter_config.json"), "{}").unwrap();
    assert!(sentence().contains("merge_and_unload"));
    // PEFT writes no config.json.
    let config = folder.path().join("config.json");
    fs::remove_file(&config).unwrap();
    assert!(sentence().contains("merge_and_unload"));
    fs::write(
        folder.path().join("config.json"),
        r#"{"model_type": "bert"}"#,
    )
    .unwrap();
    let said = sentence();
    assert!(
        said.contains("vocab_size") && said.contains("came with the weights"),
        "{said}"
    );
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let device = Device::flex();
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let config = crate::systems::tiny::config(&tokenizer);
    let folder = tempfile::tempdir().unwrap();
    export(config.init(&device), &config, &tokenizer, folder.path()).unwrap();
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    let data = 8 + u64::from_le_bytes(*whole.first_chunk().unwrap()) as usize;
    for value in [f32::NAN, f32::INFINITY] {
        let mut bytes = whole.clone();
        for word in bytes[data..].chunks_exact_mut(4) {
            word.copy_from_slice(&value.to_le_bytes());
        }
        fs::write(&path, bytes).unwrap();
        let error = load_encoder(folder.path(), 0, 0.1, &device).unwrap_err();
        assert!(error.to_string().contains("no finite numbers"), "{error}");
    }
}

/// An encoder written as others write it: in 16 bits, under a prefix, in parts, with half a configuration.
#[test]
fn other_ways_of_writing_an_encoder_give_the_same_hidden_states() {
    let device = Device::flex();
    device.seed(4);
    let tokenizer = crate::tweet::tiny::tokenizer().unwrap();
    let config = crate::systems::tiny::config(&tokenizer);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    export(config.init(&device), &config, &tokenizer, folder.path()).unwrap();
    let mode = |name: &str| fs::metadata(file(name)).unwrap().permissions();
    assert_eq!(mode("model.safetensors"), mode("config.json"));
    let settings: serde_json::Value =
        serde_json::from_slice(&fs::read(file("tokenizer_config.json")).unwrap()).unwrap();
    assert_eq!(settings["tokenizer_class"], "PreTrainedTokenizerFast");
    let hidden = || {
        let loaded = load_encoder(folder.path(), 0, 0.1, &device).unwrap();
        let values = loaded.encoder.forward(&input(&device, true)).into_data();
        values.iter::<f32>().collect::<Vec<f32>>()
    };
    let expected = hidden();
    let close = |apart: f32| {
        let got = hidden();
        assert_eq!(got.len(), expected.len());
        for (a, b) in got.iter().zip(&expected) {
            assert!((a - b).abs() < apart, "{a} against {b}");
        }
    };
    let whole = fs::read(file("model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&whole).unwrap();
    type Values = (String, Vec<usize>, Vec<f32>);
    let values: Vec<Values> = tensors
        .iter()
        .map(|(name, view)| {
            let values = view
                .data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes(b.try_into().unwrap()));
            (name.to_owned(), view.shape().to_vec(), values.collect())
        })
        .collect();
    let write = |to: &str, values: &[Values], prefix: &str, dtype: safetensors::Dtype| {
        let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = values
            .iter()
            .map(|(name, shape, values)| {
                let bytes = values.iter().flat_map(|&v| match dtype {
                    safetensors::Dtype::BF16 => {
                        burn::tensor::bf16::from_f32(v).to_le_bytes().to_vec()
                    }
                    safetensors::Dtype::F16 => {
                        burn::tensor::f16::from_f32(v).to_le_bytes().to_vec()
                    }
                    safetensors::Dtype::F64 => f64::from(v).to_le_bytes().to_vec(),
                    safetensors::Dtype::I64 => (v as i64).to_le_bytes().to_vec(),
                    safetensors::Dtype::U8
                    | safetensors::Dtype::I8
                    | safetensors::Dtype::F8_E4M3 => vec![v as u8],
                    _ => v.to_le_bytes().to_vec(),
                });
                (format!("{prefix}{name}"), shape.clone(), bytes.collect())
            })
            .collect();
        let views = bytes.iter().map(|(name, shape, bytes)| {
            (
                name,
                safetensors::tensor::TensorView::new(dtype, shape.clone(), bytes).unwrap(),
            )
        });
        fs::write(file(to), safetensors::serialize(views, None).unwrap()).unwrap();
    };
    for (dtype, apart) in [
        (safetensors::Dtype::F16, 0.02),
        (safetensors::Dtype::BF16, 0.1),
        (safetensors::Dtype::F64, 1e-6),
        (safetensors::Dtype::F32, 1e-6),
    ] {
        for prefix in [
            "module.",
            "0.auto_model.",
            "model.",
            "bert.",
            "module.roberta.",
            "_orig_mod.",
        ] {
            write("model.safetensors", &values, prefix, dtype);
            close(apart);
        }
    }
    // In two parts.
    let (one, two) = values.split_at(values.len() / 2);
    write("model-1-of-2.safetensors", one, "", safetensors::Dtype::F32);
    write("model-2-of-2.safetensors", two, "", safetensors::Dtype::F32);
    fs::remove_file(file("model.safetensors")).unwrap();
    let part = |part: &[Values], name: &str| -> Vec<(String, serde_json::Value)> {
        part.iter()
            .map(|(tensor, ..)| (tensor.clone(), name.into()))
            .collect()
    };
    let parts = [
        part(one, "model-1-of-2.safetensors"),
        part(two, "model-2-of-2.safetensors"),
    ]
    .concat();
    let map: serde_json::Map<_, _> = parts.into_iter().collect();
    let index = serde_json::json!({"metadata": {}, "weight_map": map}).to_string();
    fs::write(file("model.safetensors.index.json"), index).unwrap();
    close(1e-6);
    // With half a configuration.
    let mut config: serde_json::Value =
        serde_json::from_slice(&fs::read(file("config.json")).unwrap()).unwrap();
    let fields = config.as_object_mut().unwrap();
    for name in [
        "model_type",
        "layer_norm_eps",
        "type_vocab_size",
        "hidden_act",
    ] {
        fields.remove(name);
    }
    fs::write(file("config.json"), config.to_string()).unwrap();
    close(1e-4);
    // Two encoders, and none.
    write("model.safetensors", &values, "a.", safetensors::Dtype::F32);
    let mut both = values.clone();
    both.extend(
        values
            .iter()
            .map(|(name, shape, values)| (format!("b.{name}"), shape.clone(), values.clone())),
    );
    write("model.safetensors", &both, "", safetensors::Dtype::F32);
    let sentence = || {
        load_encoder(folder.path(), 0, 0.1, &device)
            .unwrap_err()
            .to_string()
    };
    assert!(sentence().contains("two encoders"), "{}", sentence());
    for dtype in [
        safetensors::Dtype::I64,
        safetensors::Dtype::I8,
        safetensors::Dtype::U8,
        safetensors::Dtype::F8_E4M3,
    ] {
        write("model.safetensors", &values, "", dtype);
        assert!(sentence().contains("16 or 32 bits"), "{}", sentence());
    }
    // Of another model than config.json.
    write("model.safetensors", &values, "", safetensors::Dtype::F32);
    let mut other = config.clone();
    other["intermediate_size"] = 12.into();
    fs::write(file("config.json"), other.to_string()).unwrap();
    let said = sentence();
    assert!(
        said.contains(" more; take the config.json") && said.len() < 500,
        "{said}"
    );
    // More layers than are asked for, as transformers reads them.
    config["num_hidden_layers"] = 1.into();
    fs::write(file("config.json"), config.to_string()).unwrap();
    assert!(load_encoder(folder.path(), 0, 0.1, &device).is_ok());
    write(
        "model.safetensors",
        &[("x".to_owned(), vec![1], vec![0.0])],
        "",
        safetensors::Dtype::F32,
    );
    assert!(sentence().contains("the first is x"), "{}", sentence());
}
