package insight

func (s *Service) registerJobs() {}
