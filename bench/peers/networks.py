"""The networks that are timed, in plain PyTorch: those of `uniqnn pack --random`.

Topology and names are those of uniq/models: pre-activation ResNets in their ImageNet form, whose
shortcut convolutions have no batch norm and read relu(bn(x)), and torchvision's MobileNetV2.
"""

import copy

import torch
from torch import nn
from torch.nn import functional

CLASSES = 1000


def convolution(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups,
                     bias=False)


class PreactBlock(nn.Module):
    """BN-ReLU-conv-BN-ReLU-conv, and what it is added to."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = convolution(inputs, outputs, 3, stride)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = convolution(outputs, outputs, 3)
        self.shortcut = None
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(convolution(inputs, outputs, 1, stride))

    def forward(self, x):
        active = functional.relu(self.bn1(x))
        body = self.conv2(functional.relu(self.bn2(self.conv1(active))))
        return body + (x if self.shortcut is None else self.shortcut(active))


class PreactResNet(nn.Module):
    """The ImageNet form: 7x7 stem of stride 2, max-pool, four stages."""

    def __init__(self, blocks):
        super().__init__()
        self.conv1 = convolution(3, 64, 7, 2)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for stage, count in enumerate(blocks, start=1):
            outputs = 32 << stage
            layer = nn.Sequential()
            for i in range(count):
                layer.append(PreactBlock(channels, outputs, 2 if stage > 1 and i == 0 else 1))
                channels = outputs
            setattr(self, f"layer{stage}", layer)
        self.bn2 = nn.BatchNorm2d(channels)
        self.fc = nn.Linear(channels, CLASSES)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.max_pool2d(x, 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        x = functional.relu(self.bn2(x))
        return self.fc(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))


def conv_bn_relu6(inputs, outputs, kernel, stride=1, groups=1):
    return nn.Sequential(convolution(inputs, outputs, kernel, stride, groups),
                         nn.BatchNorm2d(outputs), nn.ReLU6())


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, linear projection."""

    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        hidden = inputs * expansion
        layers = [] if expansion == 1 else [conv_bn_relu6(inputs, hidden, 1)]
        layers += [conv_bn_relu6(hidden, hidden, 3, stride, groups=hidden),
                   convolution(hidden, outputs, 1), nn.BatchNorm2d(outputs)]
        self.conv = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    """torchvision's, width 1. Its dropout does nothing where nothing is trained."""

    # Expansion, output channels, blocks, stride of the first.
    STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
              (6, 160, 3, 2), (6, 320, 1, 1)]

    def __init__(self):
        super().__init__()
        layers = [conv_bn_relu6(3, 32, 3, 2)]
        channels = 32
        for expansion, outputs, blocks, stride in self.STAGES:
            for i in range(blocks):
                layers.append(InvertedResidual(channels, outputs, stride if i == 0 else 1,
                                               expansion))
                channels = outputs
        layers.append(conv_bn_relu6(channels, 1280, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, CLASSES))

    def forward(self, x):
        x = functional.adaptive_avg_pool2d(self.features(x), 1)
        return self.classifier(torch.flatten(x, 1))


NETWORKS = {
    "preact_resnet18": lambda: PreactResNet([2, 2, 2, 2]),
    "preact_resnet34": lambda: PreactResNet([3, 4, 6, 3]),
    "mobilenetv2": MobileNetV2,
}


def randomize(network, pictures, seed):
    """Random weights; each batch norm's statistics are those of what these pictures give it."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, generator=generator)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)
        if isinstance(module, nn.BatchNorm2d):
            # A mean of 1 leaves most of what follows above 0. With a mean of 0, each ReLU of a
            # random network would amplify errors, and int8's would drown what pictures differ in.
            nn.init.uniform_(module.weight, 0.5, 1.5, generator=generator)
            nn.init.normal_(module.bias, 1.0, 0.2, generator=generator)
            module.momentum = 1.0  # the running statistics become those of the one batch
    with torch.no_grad():
        network.train()
        network(pictures)
    return network.eval()


def build(name, pictures, seed):
    return randomize(NETWORKS[name](), pictures, seed)


def affine(norm):
    """A batch norm in evaluation mode as a 1x1 depthwise convolution."""
    convolution = nn.Conv2d(norm.num_features, norm.num_features, 1, groups=norm.num_features)
    with torch.no_grad():
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        convolution.weight.copy_(scale.reshape(-1, 1, 1, 1))
        convolution.bias.copy_(norm.bias - norm.running_mean * scale)
    return convolution


def with_affine(network):
    """A copy whose batch norms that no convolution precedes are depthwise convolutions."""
    network = copy.deepcopy(network)
    for module in list(network.modules()):
        if isinstance(module, PreactBlock):
            # The first block's follows the max-pool; the others' an addition.
            module.bn1 = affine(module.bn1)
        elif isinstance(module, PreactResNet):
            module.bn2 = affine(module.bn2)
    return network


def layers(network):
    """How many convolutions and linear layers there are, which have to run in int8, and the name of
    the classifier."""
    found = {"convolutions": 0, "linear": 0, "classifier": ""}
    for name, module in network.named_modules():
        found["convolutions"] += isinstance(module, nn.Conv2d)
        if isinstance(module, nn.Linear):
            found["linear"] += 1
            found["classifier"] = name
    return found
