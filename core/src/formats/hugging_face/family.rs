//! The families of encoders: what `config.json` says of each, and how each names its tensors.

use crate::nn::encoder::EncoderConfig;
use serde::Deserialize;

/// Our names and theirs, `#` being a layer's number; the prefix of a task model is dropped.
type Names = [(&'static str, &'static str)];

const BERT: &Names = &[
    ("words", "embeddings.word_embeddings"),
    ("positions", "embeddings.position_embeddings"),
    ("token_types", "embeddings.token_type_embeddings"),
    ("norm", "embeddings.LayerNorm"),
    (
        "layers.#.attention.query",
        "encoder.layer.#.attention.self.query",
    ),
    (
        "layers.#.attention.key",
        "encoder.layer.#.attention.self.key",
    ),
    (
        "layers.#.attention.value",
        "encoder.layer.#.attention.self.value",
    ),
    (
        "layers.#.attention.output",
        "encoder.layer.#.attention.output.dense",
    ),
    (
        "layers.#.attention_norm",
        "encoder.layer.#.attention.output.LayerNorm",
    ),
    ("layers.#.ffn_in", "encoder.layer.#.intermediate.dense"),
    ("layers.#.ffn_out", "encoder.layer.#.output.dense"),
    ("layers.#.ffn_norm", "encoder.layer.#.output.LayerNorm"),
];

const MPNET: &Names = &[
    ("words", "embeddings.word_embeddings"),
    ("positions", "embeddings.position_embeddings"),
    ("norm", "embeddings.LayerNorm"),
    ("distances.biases", "encoder.relative_attention_bias"),
    (
        "layers.#.attention.query",
        "encoder.layer.#.attention.attn.q",
    ),
    ("layers.#.attention.key", "encoder.layer.#.attention.attn.k"),
    (
        "layers.#.attention.value",
        "encoder.layer.#.attention.attn.v",
    ),
    (
        "layers.#.attention.output",
        "encoder.layer.#.attention.attn.o",
    ),
    (
        "layers.#.attention_norm",
        "encoder.layer.#.attention.LayerNorm",
    ),
    ("layers.#.ffn_in", "encoder.layer.#.intermediate.dense"),
    ("layers.#.ffn_out", "encoder.layer.#.output.dense"),
    ("layers.#.ffn_norm", "encoder.layer.#.output.LayerNorm"),
];

const DISTILBERT: &Names = &[
    ("words", "embeddings.word_embeddings"),
    ("positions", "embeddings.position_embeddings"),
    ("norm", "embeddings.LayerNorm"),
    (
        "layers.#.attention.query",
        "transformer.layer.#.attention.q_lin",
    ),
    (
        "layers.#.attention.key",
        "transformer.layer.#.attention.k_lin",
    ),
    (
        "layers.#.attention.value",
        "transformer.layer.#.attention.v_lin",
    ),
    (
        "layers.#.attention.output",
        "transformer.layer.#.attention.out_lin",
    ),
    (
        "layers.#.attention_norm",
        "transformer.layer.#.sa_layer_norm",
    ),
    ("layers.#.ffn_in", "transformer.layer.#.ffn.lin1"),
    ("layers.#.ffn_out", "transformer.layer.#.ffn.lin2"),
    ("layers.#.ffn_norm", "transformer.layer.#.output_layer_norm"),
];

/// A family of encoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// BERT, and ELECTRA's discriminator where its embeddings are as wide as its layers.
    Bert,
    /// RoBERTa, XLM-R, CamemBERT.
    Roberta,
    /// MPNet, which has a bias by distance and no token types.
    Mpnet,
    /// DistilBERT, which has no token types.
    DistilBert,
}

impl Family {
    /// Model types of `config.json`, and beginnings of class names.
    const KNOWN: [(&'static str, &'static str, Self); 7] = [
        ("xlm-roberta", "XLMRoberta", Self::Roberta),
        ("roberta", "Roberta", Self::Roberta),
        ("camembert", "Camembert", Self::Roberta),
        ("distilbert", "DistilBert", Self::DistilBert),
        ("mpnet", "MPNet", Self::Mpnet),
        ("electra", "Electra", Self::Bert),
        ("bert", "Bert", Self::Bert),
    ];

    /// The family that an encoder of this shape is written as.
    pub(super) fn of(config: &EncoderConfig) -> Self {
        match config.first_position {
            _ if config.distances > 0 => Self::Mpnet,
            0 => Self::Bert,
            _ => Self::Roberta,
        }
    }

    /// What `transformers` calls it, and the class of its plain encoder.
    pub(super) fn classes(self) -> (&'static str, &'static str) {
        match self {
            Self::Bert => ("bert", "BertModel"),
            Self::Roberta => ("roberta", "RobertaModel"),
            Self::Mpnet => ("mpnet", "MPNetModel"),
            Self::DistilBert => ("distilbert", "DistilBertModel"),
        }
    }

    /// Our names and theirs.
    pub(super) fn names(self) -> &'static Names {
        match self {
            Self::Bert | Self::Roberta => BERT,
            Self::Mpnet => MPNET,
            Self::DistilBert => DISTILBERT,
        }
    }

    /// Whether its encoders add an embedding of the token's type.
    pub(super) fn has_token_types(self) -> bool {
        matches!(self, Self::Bert | Self::Roberta)
    }
}

/// `config.json`, as far as the arithmetic depends on it. DistilBERT has names of its own.
#[derive(Deserialize)]
pub(super) struct HfConfig {
    #[serde(default)]
    model_type: Option<String>,
    #[serde(default)]
    architectures: Option<Vec<String>>,
    vocab_size: usize,
    #[serde(alias = "dim")]
    hidden_size: usize,
    #[serde(alias = "n_layers")]
    num_hidden_layers: usize,
    #[serde(alias = "n_heads")]
    num_attention_heads: usize,
    #[serde(alias = "hidden_dim")]
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default)]
    pub(super) type_vocab_size: Option<usize>,
    /// ELECTRA's: of the input tables.
    #[serde(default)]
    embedding_size: Option<usize>,
    /// MPNet's.
    #[serde(default = "buckets")]
    relative_attention_num_buckets: usize,
    /// The default of every class that is known here.
    #[serde(default = "epsilon")]
    layer_norm_eps: f64,
    #[serde(default)]
    pad_token_id: Option<usize>,
    #[serde(default = "gelu", alias = "activation")]
    hidden_act: String,
    #[serde(default = "absolute")]
    position_embedding_type: String,
}

/// The largest size of any encoder: XLM-R's table has a quarter as many rows.
const LARGEST: usize = 1 << 20;

fn buckets() -> usize {
    32
}

fn epsilon() -> f64 {
    1e-12
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl HfConfig {
    /// The family, from what else tells it where it is not named; the problem, as a sentence, where it is not known.
    pub(super) fn family(&self) -> Result<Family, String> {
        let known = |fits: &dyn Fn(&str, &str) -> bool| {
            let mut all = Family::KNOWN.into_iter();
            all.find(|(name, class, _)| fits(name, class))
                .map(|(_, _, family)| family)
        };
        if let Some(model_type) = &self.model_type {
            return known(&|name, _| name == model_type).ok_or_else(|| {
                let names = Family::KNOWN.map(|(name, ..)| name);
                format!(
                    "model_type is {model_type:?}; {} are known",
                    names.join(", ")
                )
            });
        }
        let mut classes = self.architectures.iter().flatten();
        let named = classes.find_map(|given| known(&|_, class| given.starts_with(class)));
        Ok(named.unwrap_or(
            // Positions that begin behind the padding's need two more rows.
            match self.pad_token_id == Some(1) || self.max_position_embeddings % 128 == 2 {
                true => Family::Roberta,
                false => Family::Bert,
            },
        ))
    }

    /// The sizes of an encoder of this family, with a word-shape table of `shapes` rows; the problem, as a sentence, where they
    /// cannot be used.
    pub(super) fn encoder(
        &self,
        family: Family,
        shapes: usize,
        dropout: f64,
    ) -> Result<EncoderConfig, String> {
        let sizes = [
            self.vocab_size,
            self.hidden_size,
            self.num_hidden_layers,
            self.num_attention_heads,
            self.intermediate_size,
            self.max_position_embeddings,
            self.type_vocab_size.unwrap_or(0),
            self.relative_attention_num_buckets,
            self.pad_token_id.unwrap_or(0),
        ];
        if let Some(size) = sizes.into_iter().find(|&size| size > LARGEST) {
            return Err(format!(
                "it has a size of {size}; no encoder of these families has one beyond {LARGEST}"
            ));
        }
        let needed = [
            ("vocab_size", self.vocab_size),
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("intermediate_size", self.intermediate_size),
        ];
        if let Some((name, _)) = needed.iter().find(|(_, size)| *size == 0) {
            return Err(format!(
                "{name} is 0; take the config.json that came with the weights"
            ));
        }
        if !(self.layer_norm_eps > 0.0 && self.layer_norm_eps < 1.0) {
            return Err(format!(
                "layer_norm_eps is {}; take the config.json that came with the weights",
                self.layer_norm_eps
            ));
        }
        let first_position = match family {
            Family::Bert | Family::DistilBert => 0,
            // fairseq counts positions from the padding id on.
            Family::Roberta | Family::Mpnet => self.pad_token_id.unwrap_or(1) + 1,
        };
        // `gelu_python` is the same function, written out.
        if !["gelu", "gelu_python"].contains(&self.hidden_act.as_str()) {
            let near = match self.hidden_act.as_str() {
                "gelu_new" | "gelu_fast" | "gelu_pytorch_tanh" | "gelu_accurate" => {
                    ". It differs by less than 0.001 a value: to train on with \"gelu\", write that into config.json"
                }
                _ => "; choose a model with it",
            };
            return Err(format!(
                "hidden_act is {:?} and only \"gelu\" is computed{near}",
                self.hidden_act
            ));
        }
        if self.position_embedding_type != "absolute" {
            return Err(format!(
                "position_embedding_type is {:?}; only \"absolute\" is known",
                self.position_embedding_type
            ));
        }
        if let Some(width) = self
            .embedding_size
            .filter(|&width| width != self.hidden_size)
        {
            return Err(format!(
                "embedding_size is {width} and hidden_size {}; only encoders are read whose input tables are as wide as their layers",
                self.hidden_size
            ));
        }
        if self.num_attention_heads == 0
            || !self.hidden_size.is_multiple_of(self.num_attention_heads)
        {
            return Err(format!(
                "{} heads do not divide {} dimensions",
                self.num_attention_heads, self.hidden_size
            ));
        }
        if first_position >= self.max_position_embeddings {
            return Err(format!(
                "{} positions leave no room for a subword",
                self.max_position_embeddings
            ));
        }
        let distances = match family {
            Family::Mpnet => self.relative_attention_num_buckets,
            _ => 0,
        };
        if (1..4).contains(&distances) {
            return Err(format!(
                "relative_attention_num_buckets is {distances}; at least 4 are needed"
            ));
        }
        Ok(EncoderConfig {
            vocab: self.vocab_size,
            d: self.hidden_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            ffn: self.intermediate_size,
            positions: self.max_position_embeddings,
            first_position,
            token_types: match family.has_token_types() {
                true => self.type_vocab_size.unwrap_or(1),
                false => 1,
            },
            shapes,
            distances,
            epsilon: self.layer_norm_eps,
            dropout,
        })
    }
}
