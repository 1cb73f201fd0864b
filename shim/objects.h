/*
 * objects.h - definitions of streams, events, contexts and devices.
 *
 * Each is called after the driver has made the object, in the thread that made it, and
 * returns the definition's id; 0: there is none.
 */
#ifndef VPROF_SHIM_OBJECTS_H
#define VPROF_SHIM_OBJECTS_H

#include <stdint.h>
#include "preload/compiler.h"
#include "shim/cuda_abi.h"
#include "vprof/ring.h"

/* Makes the tables; nothing is known of a new ring's objects. */
void vprof_objects_init(void) HIDDEN;
void vprof_objects_forget(void) HIDDEN;

uint32_t vprof_stream_made(CUstream stream, unsigned flags, int priority) HIDDEN COLD;
uint32_t vprof_event_made(CUevent event, unsigned flags) HIDDEN COLD;

/* device: -1: the current context's. */
uint32_t vprof_context_made(CUcontext context, CUdevice device, unsigned flags,
			    enum vprof_context_kind kind) HIDDEN COLD;

/* The primary context of a device is in use: made by this call or before. */
uint32_t vprof_primary_retained(CUcontext context, CUdevice device) HIDDEN COLD;

/* It was given back, and with its last user it has gone. */
void vprof_primary_released(CUdevice device) HIDDEN COLD;

/* The context has gone, and all that was made in it. */
void vprof_context_gone(CUcontext context) HIDDEN COLD;

/* Defines the device unless that has been done in this ring. */
void vprof_device_seen(CUdevice device) HIDDEN COLD;

#endif
