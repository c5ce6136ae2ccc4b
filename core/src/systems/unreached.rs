//! For tests: which weights a loss does not reach.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor};

struct Unreached<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    names: Vec<String>,
}

impl ModuleVisitor for Unreached<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        let sum = param.val().grad(self.gradients).map(|grad| {
            let sum: f32 = grad.abs().sum().into_scalar();
            assert!(sum.is_finite(), "{name} has the gradient {sum}");
            sum
        });
        // A softmax does not see what is added to all its logits alike.
        if sum.is_none_or(|sum| sum == 0.0) && !name.ends_with("key.bias") {
            self.names.push(name);
        }
    }
}

/// Names of the parameters whose gradient is 0 throughout or absent.
///
/// # Panics
/// If a gradient is not finite.
pub(crate) fn unreached(module: &impl Module, gradients: &Gradients) -> Vec<String> {
    let mut visitor = Unreached {
        gradients,
        path: Vec::new(),
        names: Vec::new(),
    };
    module.visit(&mut visitor);
    visitor.names
}
