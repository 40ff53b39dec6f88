// Precompiled for every file that includes LibTorch: what most of them use of it, and no more.
//
// GCC instantiates again, in every file, the templates that the inline functions of a precompiled
// header use: <torch/torch.h> costs each file 5 s of compilation that way, these headers 3 s.
#include <ATen/Parallel.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/pimpl.h>
#include <torch/optim/adam.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>
#include <torch/utils.h>
