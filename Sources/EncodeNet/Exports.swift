@_exported import Experiments
