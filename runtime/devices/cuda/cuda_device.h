// Part of the infini project, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An NVIDIA GPU as a device.

#ifndef INFINI_RUNTIME_DEVICES_CUDA_CUDA_DEVICE_H
#define INFINI_RUNTIME_DEVICES_CUDA_CUDA_DEVICE_H

#include "infini/runtime/devices/device.h"

namespace infini {

/// Opens GPU `index` through the driver's library, which is looked for now.
Status openCudaDevice(unsigned index, std::shared_ptr<Device> &device);

} // namespace infini

#endif // INFINI_RUNTIME_DEVICES_CUDA_CUDA_DEVICE_H
