@_exported import Checkpoints
@_exported import Datasets
@_exported import Layers
