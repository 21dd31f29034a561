"""Tests of installing with Fleet."""
